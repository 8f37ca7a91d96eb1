import { isSystemError, SkulkError } from '../kernel/errors.ts';
import type { World } from '../kernel/world.ts';
import type { Deps } from './deps.ts';
import type { OpenedStore } from './open-store.ts';

/** How long a store may take to accept a connection when a command can do without it; the look-up of its name included. */
const defaultSeconds = 1.5;
const maxSeconds = 600;
/** The shortest time that a store has for the first byte of an answer, in milliseconds. */
const shortestAnswerMs = 2_000;

/** How long to wait for a store that a command can do without, in milliseconds. */
export interface Patience {
  /** For a connection, look-up of the name included. */
  readonly connectMs: number;
  /** For the first byte of an answer, and for each further one. */
  readonly answerMs: number;
}

/**
 * The patience of this machine: `SKULK_CONNECT_TIMEOUT`, in seconds.
 * @throws SkulkError CONFIG when that is not a time
 */
export function patienceOf({ env }: Pick<World, 'env'>): Patience {
  const text = env['SKULK_CONNECT_TIMEOUT']?.trim() ?? '';
  const seconds = text === '' ? defaultSeconds : /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= 0.001 && seconds <= maxSeconds))
    throw new SkulkError('CONFIG', `SKULK_CONNECT_TIMEOUT is ${JSON.stringify(text)}; it must be a number of seconds`, {
      hint: `set it to more than 0 and at most ${maxSeconds}, e.g. ${defaultSeconds}, or unset it`,
    });
  const connectMs = seconds * 1000;
  return { connectMs, answerMs: Math.max(shortestAnswerMs, connectMs) };
}

/** What was waited for in vain. */
interface Silence {
  readonly failure: SkulkError;
  /** Which step failed: the connection, or the answer over one. */
  readonly step: 'connect' | 'answer';
  /** By the monotonic clock, in milliseconds. */
  readonly until: number;
}

/** How long a command remembers that a store is silent; `run` may last for days. */
const rememberedMs = 60_000;

/** What each command has waited for in vain, by the URL of the store. */
const silences = new WeakMap<World, Map<string, Silence>>();

/**
 * Why a store cannot be asked; undefined when it accepts connections. A command waits only once for a store that is silent; one that
 * refuses says so at once and is tried again each time.
 * @param needs `answer`: give up also when the store accepted a connection before but left a question unanswered
 * @throws SkulkError CONFIG
 */
export async function whyOutOfReach(
  { world }: Deps,
  { url, probe }: Pick<OpenedStore, 'url' | 'probe'>,
  needs: 'connect' | 'answer' = 'connect',
): Promise<SkulkError | undefined> {
  if (url === undefined || probe === undefined) return undefined;
  const { connectMs } = patienceOf(world);
  const known = silences.get(world)?.get(url);
  if (known !== undefined && known.until > performance.now() && (known.step === 'connect' || needs === 'answer')) return known.failure;
  const outcome = await probe(connectMs);
  if (outcome === 'connected') return undefined;
  if (outcome === 'timeout') {
    const failure = new SkulkError('STORE_UNREACHABLE', `${url} did not accept a connection within ${connectMs / 1000} s`, {
      hint: 'check that the host is up and that `skulk serve` is running there; SKULK_CONNECT_TIMEOUT sets how long to wait',
    });
    remember(world, url, failure, 'connect');
    return failure;
  }
  const { mapNetworkError } = await import('../client/http/map-failure.ts');
  const failure = mapNetworkError(outcome, url);
  if (!(failure instanceof SkulkError)) throw failure;
  // Whoever does not know a name has asked the name service, and then the LAN.
  if (isUnknownName(outcome)) remember(world, url, failure, 'connect');
  return failure;
}

/**
 * Remembers that a store which accepted a connection did not answer in time, so that nothing that can do without an answer waits again.
 * Other failures are none of silence, and are not remembered.
 */
export function rememberSilence({ world }: Deps, { url }: Pick<OpenedStore, 'url'>, failure: unknown): void {
  if (url === undefined || !(failure instanceof SkulkError) || failure.code !== 'STORE_UNREACHABLE') return;
  if (isSystemError(failure.cause, 'ETIMEDOUT')) remember(world, url, failure, 'answer');
}

function remember(world: World, url: string, failure: SkulkError, step: Silence['step']): void {
  const known = silences.get(world) ?? new Map<string, Silence>();
  silences.set(world, known.set(url, { failure, step, until: performance.now() + rememberedMs }));
}

const isUnknownName = (error: Error): boolean => isSystemError(error, 'ENOTFOUND', 'EAI_AGAIN');
