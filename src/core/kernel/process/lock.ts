import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull, isSystemError, SkulkError } from '../errors.ts';
import { giveDirectoryToOwner } from '../files/give-to-owner.ts';
import { isThere } from '../files/is-there.ts';
import { makeDirectory } from '../files/make-directory.ts';
import { writeOwnFile } from '../files/write-own-file.ts';
import { pause } from '../flow/backoff.ts';
import { readPulse, startHeartbeat, unattended } from './heartbeat.ts';
import { type HolderChanges, heartbeatFile, highestClaim, holderFile, type LockHolder, removeOlder } from './lock-claims.ts';
import { type Observer, silenceMs, thisObserver } from './observe.ts';
import { describePlace, identifySelf, lifeOf } from './process-identity.ts';

/*
 * A lock is a directory of numbered claims, and the highest number decides. A process takes the lock by renaming a prepared directory to
 * the next number. Only one process can do that, because a rename does not replace a directory with content. Hard links are not available
 * on every disk.
 * An owner never removes its claim, but marks it as released. So the highest number never decreases, and a slow process that takes an old
 * number sees a higher one and steps back.
 * A dead owner is recognized at once by its pid and start time, without any clock. Node has no flock, and locks based on modification
 * times treat a sleeping laptop as dead. An owner on another machine or in another container is watched: its heartbeat must change.
 * If an owner was suspended for so long that it counted as dead, it has lost the lock when it resumes. So a holder calls `assertHeld`
 * before each step that others can see: a later claim means that it must stop.
 */

/** A lock that this process holds until it is released. */
export interface HeldLock extends AsyncDisposable {
  readonly holder: LockHolder;
  /** Changes the published properties of the holder. */
  update(changes: HolderChanges): Promise<void>;
  /**
   * Checks that the lock is still held. Call it right before each step that others can see.
   * @throws SkulkError LOCKED if this process was suspended and another one has taken the lock
   */
  assertHeld(): Promise<void>;
  /** Aborts with the error of `assertHeld`, at most one heartbeat after another process took the lock. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** How to watch a holder on another machine or in another container. */
interface Watching {
  readonly observer?: Observer;
  /** How long its heartbeat must stay unchanged before it counts as dead. */
  readonly foreignSilenceMs?: number;
}

/** The current holder of the lock at a path; undefined if the lock is free or its holder is dead. */
export async function readLock(path: string, watching: Watching = {}): Promise<LockHolder | undefined> {
  const { holder, life } = await inspectLock(path, watching);
  return life === 'dead' ? undefined : holder;
}

/**
 * Takes the lock if it is free or its holder is dead.
 * @returns the lock, or its current holder
 */
export async function tryLock(path: string, purpose: string, watching: Watching = {}): Promise<HeldLock | LockHolder> {
  const outcome = await attempt(path, purpose, watching);
  return isHeld(outcome) ? outcome : outcome.holder;
}

/** Whether `tryLock` took the lock. */
export const isHeld = (outcome: HeldLock | LockHolder | SeenHolder): outcome is HeldLock => 'release' in outcome;

interface SeenHolder {
  readonly holder: LockHolder;
  /** `unconfirmed`: the holder runs elsewhere, and no change of its heartbeat has been seen yet. */
  readonly life: 'alive' | 'unconfirmed';
}

async function attempt(path: string, purpose: string, watching: Watching): Promise<HeldLock | SeenHolder> {
  await makeDirectory(path);
  for (;;) {
    const { number, holder, life } = await inspectLock(path, watching);
    if (holder !== undefined && life !== 'dead') return { holder, life };
    const held = await makeClaim(path, number + 1, purpose);
    if (held !== undefined) return held;
  }
}

/** Reads the highest claim, and checks whether its holder is alive. */
async function inspectLock(
  path: string,
  { observer = thisObserver, foreignSilenceMs = silenceMs }: Watching,
): Promise<{ readonly number: number; readonly holder?: LockHolder; readonly life: 'alive' | 'unconfirmed' | 'dead' }> {
  const claim = await highestClaim(path);
  if (claim?.holder === undefined) return { number: claim?.number ?? 0, life: 'dead' };
  const { number, holder } = claim;
  const life = await lifeOf(holder);
  if (life !== 'unknown') return { number, holder, life };
  const { content } = await readPulse(join(path, String(number), heartbeatFile));
  const { ms, hasMoved } = (await observer.silences(path, new Map([[holder.token, content]]))).get(holder.token) ?? {};
  return { number, holder, life: (ms ?? 0) >= foreignSilenceMs ? 'dead' : hasMoved === true ? 'alive' : 'unconfirmed' };
}

/**
 * Takes the lock, and waits for its holder if necessary.
 * @param timeoutMs how long to wait before LOCKED is thrown; a holder elsewhere without a heartbeat is first watched for
 * `foreignSilenceMs`
 * @param isHopeless whether it is useless to wait for a holder; then LOCKED is thrown as soon as the holder is known to be alive
 * @param onWait called once with the holder
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
    observer = thisObserver,
    isHopeless = () => false,
  }: Watching & {
    readonly purpose: string;
    readonly timeoutMs: number;
    readonly isHopeless?: (holder: LockHolder) => boolean;
    readonly signal: AbortSignal;
    readonly onWait?: (holder: LockHolder) => void;
  },
): Promise<HeldLock> {
  const began = performance.now();
  let announced = false;
  for (;;) {
    const outcome = await attempt(path, purpose, { observer, foreignSilenceMs });
    if (isHeld(outcome)) return outcome;
    const { holder, life } = outcome;
    const isOver = performance.now() - began >= timeoutMs + (life === 'unconfirmed' ? foreignSilenceMs : 0);
    if (isOver || (life === 'alive' && isHopeless(holder))) throw lockedBy(path, holder);
    if (!announced) onWait?.(holder);
    announced = true;
    await pause(25 + Math.random() * 50, signal);
  }
}

/** `skulk serve (pid 4711)`, with its location if it runs elsewhere. */
export function describeLockHolder(holder: LockHolder): string {
  const place = describePlace(holder);
  return `${holder.purpose} (pid ${holder.pid}${place === undefined ? '' : ` ${place}`})`;
}

function lockedBy(path: string, holder: LockHolder): SkulkError {
  const isHere = describePlace(holder) === undefined;
  return new SkulkError('LOCKED', `${path} is held by ${describeLockHolder(holder)}`, {
    hint: isHere
      ? 'wait for it to end, or stop it'
      : `wait for it to end, or stop it there; if it was killed, try again in ${silenceMs / 1000} seconds`,
  });
}

function lostTo(path: string, holder: LockHolder | undefined): SkulkError {
  const who = holder === undefined ? 'another process' : describeLockHolder(holder);
  return new SkulkError('LOCKED', `this process was suspended for too long, and ${who} has taken ${path}, so this process stops`, {
    hint: 'run the command again',
  });
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
    await giveDirectoryToOwner(draft);
    await writeFile(join(draft, heartbeatFile), unattended);
    await writeFile(join(draft, holderFile), JSON.stringify(holder));
    await rename(draft, claim);
  } catch (error) {
    const isTidiedAway = isSystemError(error, 'ENOENT') && (await isThere(path));
    await rm(draft, { recursive: true, force: true });
    if (isTidiedAway || isSystemError(error, 'EEXIST', 'ENOTEMPTY')) return undefined;
    throw error;
  }
  if ((await highestClaim(path))?.number !== number) {
    await rm(claim, { recursive: true, force: true });
    return undefined;
  }
  await removeOlder(path, number);
  const losing = new AbortController();
  const assertHeld = async (): Promise<void> => {
    if (losing.signal.aborted) throw losing.signal.reason;
    const now = await highestClaim(path);
    if (now?.holder?.token === holder.token) return;
    // A disconnected disk may come back with this claim on it. Only another claim ends this one permanently.
    if (now !== undefined) losing.abort(lostTo(path, now.holder));
    throw losing.signal.aborted
      ? losing.signal.reason
      : new SkulkError('LOCKED', `the lock ${path} is gone, so writing has stopped`, { hint: 'check that the disk is mounted' });
  };
  const heartbeat = startHeartbeat(join(claim, heartbeatFile), {
    onBeat: () => void assertHeld().catch(() => undefined),
  });
  const rewrite = async (content: object): Promise<void> => {
    await writeOwnFile(`${file}.tmp`, JSON.stringify(content));
    await rename(`${file}.tmp`, file);
  };
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    heartbeat.stop();
    await rewrite({ released: true }).catch(async (error: unknown) => {
      // On a full disk a claim can still be emptied, which means the same.
      if (isDiskFull(error)) return writeOwnFile(file, '').catch(() => undefined);
      // The directory with the lock is gone, or the disk is read-only. Others will see that the pid is dead.
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
    assertHeld,
    lost: losing.signal,
    release,
    [Symbol.asyncDispose]: release,
  };
}
