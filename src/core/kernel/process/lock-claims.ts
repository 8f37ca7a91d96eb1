import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { namesIn } from '../files/if-present.ts';
import { forgetSilences } from './observe.ts';
import { lifeOf, type ProcessOnMachine } from './process-identity.ts';

/* The files of a lock: a directory for each claim, named by its number (see lock.ts). */

/** The holder of a lock. */
export interface LockHolder extends ProcessOnMachine {
  /** Unique for each time that the lock is taken. */
  readonly token: string;
  readonly since: string;
  /** The holder's activity, e.g. `skulk serve`. */
  readonly purpose: string;
  /** The address at which the holder answers requests, if it does. */
  readonly url?: string;
  /** The address at which it answers other machines. */
  readonly outside_url?: string;
  /** Its network namespace on Linux, if it answers requests: a loopback address is only valid inside it. */
  readonly network?: string;
  /** The real path of the store that it serves. A copy of that directory is at another path, with the same claim. */
  readonly root?: string;
}

/** The properties that a holder can change. */
export type HolderChanges = Pick<LockHolder, 'url' | 'outside_url' | 'network' | 'root'>;

/** The files of a claim: its holder as JSON, and the holder's heartbeat. */
export const holderFile = 'holder.json';
export const heartbeatFile = 'beat';

/** The highest claim of a lock; without a holder, the lock is free. */
export interface Claim {
  readonly number: number;
  readonly holder: LockHolder | undefined;
}

/** The claim with the highest number. Without a holder, it was released, or its process died while it wrote the claim. */
export async function highestClaim(path: string): Promise<Claim | undefined> {
  for (let before = -1; ; ) {
    const numbers = (await namesIn(path)).filter((name) => /^\d{1,15}$/.test(name)).map(Number);
    if (numbers.length === 0) return undefined;
    const number = Math.max(...numbers);
    const file = join(path, String(number), holderFile);
    try {
      return { number, holder: parseHolder(await readFile(file, 'utf8')) };
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
      // Either an old claim was removed between the two reads, or a user emptied this one by hand.
      if (before === number) return { number, holder: undefined };
      before = number;
    }
  }
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || 'released' in value) return undefined;
    const { pid, startTime, hostname: host, token } = value as Partial<LockHolder>;
    if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof host !== 'string' || typeof token !== 'string') return undefined;
    return value as LockHolder;
  } catch {
    return undefined;
  }
}

/** Removes older claims. A claim that cannot be removed now does no harm. */
export async function removeOlder(path: string, number: number): Promise<void> {
  await forgetSilences(path);
  for (const name of await readdir(path).catch(() => [])) {
    const isOld = /^\d{1,15}$/.test(name)
      ? Number(name) < number
      : /^\.[0-9a-f]{24}\.tmp$/.test(name) && (await isAbandonedDraft(join(path, name)));
    if (isOld) await rm(join(path, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isAbandonedDraft(draft: string): Promise<boolean> {
  const holder = await readFile(join(draft, holderFile), 'utf8').then(parseHolder, () => undefined);
  return holder !== undefined && (await lifeOf(holder)) === 'dead';
}
