import { envSeconds } from '../kernel/env-seconds.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { isUnresolved } from '../kernel/explain-network-error.ts';
import type { World } from '../kernel/world.ts';
import type { Deps } from './deps.ts';
import type { OpenedStore } from './open-store.ts';

/** How long an optional store may take to accept a connection, and before it the lookup of its name. */
const defaultSeconds = 1.5;
const maxSeconds = 600;
/** The shortest time limit for the first byte of an answer, in milliseconds. */
const shortestAnswerMs = 2_000;

/** How long to wait for an optional store, in milliseconds. */
export interface Patience {
  /** For a connection, and before it for the lookup of the name. */
  readonly connectMs: number;
  /** For the first byte of an answer, and for each further one. */
  readonly answerMs: number;
}

/**
 * The limits of this machine: `SKULK_CONNECT_TIMEOUT`, in seconds.
 * @throws SkulkError CONFIG for an invalid time
 */
export function patienceOf(world: Pick<World, 'env'>): Patience {
  const connectMs = envSeconds(world, 'SKULK_CONNECT_TIMEOUT', { most: maxSeconds, example: defaultSeconds }) ?? defaultSeconds * 1000;
  return { connectMs, answerMs: Math.max(shortestAnswerMs, connectMs) };
}

/** A store that did not respond in time. */
interface Silence {
  readonly failure: SkulkError;
  /** The failed step: the connection, or the answer over one. */
  readonly step: 'connect' | 'answer';
  /** By the monotonic clock, in milliseconds. */
  readonly until: number;
}

/** How long a command remembers a silent store; `run` may last for days. */
const rememberedMs = 60_000;

/** The silent stores of each command, by URL. */
const silences = new WeakMap<World, Map<string, Silence>>();

/**
 * Why a store cannot be used; undefined if it accepts connections. A command waits only once for a silent store. A store that refuses a
 * connection does so at once, and is tried again each time.
 * @param needs `answer`: give up also if the store accepted a connection before but did not answer a request
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
  const { mapNetworkError, withUsualPort } = await import('../client/http/map-failure.ts');
  if (outcome === 'timeout') {
    const failure = new SkulkError('STORE_UNREACHABLE', `${url} did not accept a connection within ${connectMs / 1000} s`, {
      hint: [
        withUsualPort(url),
        'check that the host is up and that `skulk serve` is running there; SKULK_CONNECT_TIMEOUT sets how long to wait',
      ]
        .filter(Boolean)
        .join('; '),
    });
    remember(world, url, failure, 'connect');
    return failure;
  }
  const failure = mapNetworkError(outcome, url);
  if (!(failure instanceof SkulkError)) throw failure;
  // The name service was asked, and the LAN was searched.
  if (isUnresolved(outcome)) remember(world, url, failure, 'connect');
  return failure;
}

/**
 * Remembers that a store accepted a connection but did not answer in time, so that no other optional request waits again. Other failures
 * are not remembered.
 */
export function rememberSilence({ world }: Deps, { url }: Pick<OpenedStore, 'url'>, failure: unknown): void {
  if (url === undefined || !(failure instanceof SkulkError) || failure.code !== 'STORE_UNREACHABLE') return;
  if (isSystemError(failure.cause, 'ETIMEDOUT')) remember(world, url, failure, 'answer');
}

function remember(world: World, url: string, failure: SkulkError, step: Silence['step']): void {
  silencesOf(world).set(url, { failure, step, until: performance.now() + rememberedMs });
}

function silencesOf(world: World): Map<string, Silence> {
  const known = silences.get(world) ?? new Map<string, Silence>();
  silences.set(world, known);
  return known;
}

/** The same command with another signal. It knows the same silent stores. */
export function withSignal(world: World, signal: AbortSignal): World {
  const same = { ...world, signal };
  silences.set(same, silencesOf(world));
  return same;
}
