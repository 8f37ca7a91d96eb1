import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pause } from './backoff.ts';
import { isDiskFull, isSystemError, SkulkError } from './errors.ts';
import { makeDirectory } from './make-directory.ts';
import { identifySelf, isOfThisMachine, mayBeAlive, type ProcessOnMachine } from './process-identity.ts';

/*
 * A lock is a directory of numbered claims; the highest number decides. Taking it means renaming a prepared directory to
 * the next number, which only one process can do (a rename does not replace a directory that has something in it; hard
 * links are not on every disk). A claim is never removed by its owner, only marked as released, so the highest number
 * never falls, and a slow process that takes an old number sees a higher one and steps back. A dead owner is known by
 * its pid and start time, at once and whatever the clock says; flock is not in Node, and locks that go by modification
 * times take a sleeping laptop for a dead one. An owner on another machine (a shared disk) is watched: its heartbeat must change.
 */

/** Who holds a lock. */
export interface LockHolder extends ProcessOnMachine {
  /** Different for each time that a lock is taken. */
  readonly token: string;
  readonly since: string;
  /** What the holder does, e.g. `skulk serve`. */
  readonly purpose: string;
  /** Where the holder answers requests, if it does. */
  readonly url?: string;
}

/** A lock that this process holds until it is released. */
export interface HeldLock extends AsyncDisposable {
  readonly holder: LockHolder;
  /** Changes what others read of the holder. */
  update(changes: { readonly url?: string }): Promise<void>;
  release(): Promise<void>;
}

const holderFile = 'holder.json';
const heartbeatMs = 5_000;
const silenceMs = 30_000;

interface Claim {
  readonly number: number;
  readonly file: string;
  readonly holder: LockHolder | undefined;
}

/** Who holds the lock at a path now, or undefined when it is free or its holder is dead. */
export async function readLock(path: string): Promise<LockHolder | undefined> {
  const claim = await highestClaim(path);
  return claim?.holder !== undefined && (await mayBeAlive(claim.holder)) ? claim.holder : undefined;
}

/**
 * Takes the lock if it is free or its holder is dead.
 * @returns the lock, or who holds it
 */
export async function tryLock(path: string, purpose: string): Promise<HeldLock | LockHolder> {
  await makeDirectory(path);
  for (;;) {
    const claim = await highestClaim(path);
    if (claim?.holder !== undefined && (await mayBeAlive(claim.holder))) return claim.holder;
    const held = await makeClaim(path, (claim?.number ?? 0) + 1, purpose);
    if (held !== undefined) return held;
  }
}

/** Whether `tryLock` gave the lock. */
export const isHeld = (outcome: HeldLock | LockHolder): outcome is HeldLock => 'release' in outcome;

/**
 * Takes the lock, waiting for its holder.
 * @param timeoutMs how long to wait; then LOCKED is thrown, but a holder on another machine is first watched for `foreignSilenceMs`
 * @param foreignSilenceMs how long the heartbeat of a holder on another machine must stay the same before it counts as dead
 * @param isHopeless says of a holder that waiting for it makes no sense; then LOCKED is thrown at once
 * @param onWait told once who holds it
 * @throws SkulkError LOCKED
 */
export async function acquireLock(
  path: string,
  {
    purpose,
    timeoutMs,
    signal,
    onWait,
    foreignSilenceMs = silenceMs,
    isHopeless = () => false,
  }: {
    purpose: string;
    timeoutMs: number;
    foreignSilenceMs?: number;
    isHopeless?: (holder: LockHolder) => boolean;
    signal: AbortSignal;
    onWait?: (holder: LockHolder) => void;
  },
): Promise<HeldLock> {
  const began = performance.now();
  let announced = false;
  let silence: { token: string; mtimeMs: number; since: number } | undefined;
  for (;;) {
    const outcome = await tryLock(path, purpose);
    if (isHeld(outcome)) return outcome;
    if (!(await isOfThisMachine(outcome))) {
      const claim = await highestClaim(path);
      const mtimeMs =
        claim === undefined
          ? 0
          : await stat(claim.file).then(
              (info) => info.mtimeMs,
              () => 0,
            );
      if (silence?.token !== outcome.token || silence.mtimeMs !== mtimeMs) {
        silence = { token: outcome.token, mtimeMs, since: performance.now() };
      } else if (performance.now() - silence.since >= foreignSilenceMs && claim?.holder?.token === outcome.token) {
        const held = await makeClaim(path, claim.number + 1, purpose);
        if (held !== undefined) return held;
      }
    } else {
      silence = undefined;
    }
    const waited = performance.now() - began;
    const isWatched =
      silence !== undefined && performance.now() - silence.since < foreignSilenceMs && waited < timeoutMs + foreignSilenceMs;
    if ((waited >= timeoutMs && !isWatched) || (silence === undefined && isHopeless(outcome))) throw lockedBy(path, outcome);
    if (!announced) onWait?.(outcome);
    announced = true;
    await pause(25 + Math.random() * 50, signal);
  }
}

function lockedBy(path: string, { pid, hostname: host, purpose }: LockHolder): SkulkError {
  const where = host === hostname() ? '' : ` on ${host}`;
  return new SkulkError('LOCKED', `${path} is held by ${purpose} (pid ${pid}${where})`, {
    hint: where === '' ? 'wait for it to end, or stop it' : `wait for it to end; if that machine is gone, remove ${path}`,
  });
}

/** A claim without a holder is released, or was written by a process that died while writing it. */
async function highestClaim(path: string): Promise<Claim | undefined> {
  for (let before = -1; ; ) {
    const numbers = (await readdir(path).catch((error: unknown) => emptyWhenMissing(error)))
      .filter((name) => /^\d{1,15}$/.test(name))
      .map(Number);
    if (numbers.length === 0) return undefined;
    const number = Math.max(...numbers);
    const file = join(path, String(number), holderFile);
    try {
      return { number, file, holder: parseHolder(await readFile(file, 'utf8')) };
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
      // Either an old claim was tidied away between the two reads, or somebody emptied this one by hand.
      if (before === number) return { number, file, holder: undefined };
      before = number;
    }
  }
}

function emptyWhenMissing(error: unknown): string[] {
  if (isSystemError(error, 'ENOENT')) return [];
  throw error;
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

async function makeClaim(path: string, number: number, purpose: string): Promise<HeldLock | undefined> {
  let holder: LockHolder = {
    ...(await identifySelf()),
    token: randomBytes(12).toString('hex'),
    since: new Date().toISOString(),
    purpose,
  };
  const claim = join(path, String(number));
  const file = join(claim, holderFile);
  const draft = join(path, `.${holder.token}.tmp`);
  try {
    await mkdir(draft);
    await writeFile(join(draft, holderFile), JSON.stringify(holder));
    await rename(draft, claim);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (isSystemError(error, 'EEXIST', 'ENOTEMPTY')) return undefined;
    throw error;
  }
  if ((await highestClaim(path))?.number !== number) {
    await rm(claim, { recursive: true, force: true });
    return undefined;
  }
  await removeOlder(path, number);
  const heartbeat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), heartbeatMs);
  heartbeat.unref();
  const rewrite = async (content: object): Promise<void> => {
    await writeFile(`${file}.tmp`, JSON.stringify(content));
    await rename(`${file}.tmp`, file);
  };
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    clearInterval(heartbeat);
    await rewrite({ released: true }).catch(async (error: unknown) => {
      // On a full disk a claim can still be emptied, which says the same.
      if (isDiskFull(error)) return truncate(file, 0).catch(() => undefined);
      // The directory went away with what it locked, or nothing can be written; the dead pid will tell the others.
      if (!isSystemError(error, 'ENOENT', 'EROFS')) throw error;
    });
  };
  return {
    get holder() {
      return holder;
    },
    update: async (changes) => {
      holder = { ...holder, ...changes };
      await rewrite(holder);
    },
    release,
    [Symbol.asyncDispose]: release,
  };
}

/** Tidies up; what cannot be removed now is in nobody's way. */
async function removeOlder(path: string, number: number): Promise<void> {
  for (const name of await readdir(path).catch(() => [])) {
    const isOld = /^\d{1,15}$/.test(name)
      ? Number(name) < number
      : /^\.[0-9a-f]{24}\.tmp$/.test(name) && (await isAbandonedDraft(join(path, name)));
    if (isOld) await rm(join(path, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isAbandonedDraft(draft: string): Promise<boolean> {
  const holder = await readFile(join(draft, holderFile), 'utf8').then(parseHolder, () => undefined);
  return holder !== undefined && !(await mayBeAlive(holder));
}
