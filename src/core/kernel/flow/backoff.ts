import { setTimeout as sleep } from 'node:timers/promises';
import { SkulkError } from '../errors.ts';

/** How long to keep trying. */
export interface RetryPolicy {
  /** The maximum number of tries in a row without progress. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** The longest wait that the other side can request; a minute if absent. */
  readonly maxRetryAfterMs?: number;
}

/** For a store that restarts or an unstable link: six to thirteen seconds without a byte of progress. */
export const patient: RetryPolicy = { attempts: 8, firstDelayMs: 100, maxDelayMs: 8_000 };

/** The delay before try number `attempt` (from 1). It doubles each time, with full jitter over the upper half. */
export function backoffDelay({ firstDelayMs, maxDelayMs }: RetryPolicy, attempt: number, random = Math.random): number {
  const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}

/** The delay after failure number `attempt` in a row (from 1): the backoff, or longer if the other side asks for it. In milliseconds. */
export function retryDelay(policy: RetryPolicy, attempt: number, error: unknown): number {
  const asked = error instanceof SkulkError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(Math.min(asked, policy.maxRetryAfterMs ?? 60_000), backoffDelay(policy, attempt));
}

/** Waits; rejects with the signal's reason when it aborts first. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

/**
 * Runs `work` until it succeeds, fails permanently, or the policy is used up. Then throws the last failure.
 * @param isTransient whether another try may help
 */
export async function retrying<T>(
  work: (attempt: number) => Promise<T>,
  { policy, signal, isTransient }: { policy: RetryPolicy; signal: AbortSignal; isTransient: (error: unknown) => boolean },
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (attempt >= policy.attempts || !isTransient(error)) throw error;
      await pause(retryDelay(policy, attempt, error), signal);
    }
  }
}
