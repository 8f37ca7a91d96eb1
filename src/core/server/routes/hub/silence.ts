import { HubRefusal } from '../../../endpoint/contract.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { startDeadline } from '../../../kernel/flow/deadline.ts';

/** How long a node waits for its store while a client waits, in milliseconds. */
export interface Patience {
  /** For an immediate answer of the store. huggingface_hub gives up a HEAD request after ten seconds, and the check of the role can take three. */
  readonly answerMs: number;
  /** For the head of any answer, before `/health` is requested. Shorter than `answerMs`. */
  readonly quietMs: number;
  /** A store that fails faster than this causes no delay. */
  readonly longMs: number;
  /** How long a store is not asked about copies again after it was silent for longer than `longMs`. */
  readonly silentMs: number;
}

export const usualPatience: Patience = { answerMs: 6_000, quietMs: 2_000, longMs: 1_000, silentMs: 5_000 };

/** Remembers a silent store. */
export interface Silence {
  /**
   * Runs requests to the store, unless the store was silent a moment ago and this machine can answer by itself.
   * @throws SkulkError STORE_UNREACHABLE
   */
  watch<T>(isAnswerable: boolean, work: () => Promise<T>): Promise<T>;
  /** Limits the duration of such work. @param url the store's, if it is known. Throws SkulkError STORE_UNREACHABLE. */
  bound<T>(work: Promise<T>, url: () => string | undefined): Promise<T>;
}

/** Remembers a silent store, so that not every request waits for it again. @param now a monotonic clock, in milliseconds */
export function createSilence({ answerMs, longMs, silentMs }: Patience, now: () => number = () => performance.now()): Silence {
  let until = Number.NEGATIVE_INFINITY;
  return {
    watch: async (isAnswerable, work) => {
      const began = now();
      if (isAnswerable && began < until) throw new SkulkError('STORE_UNREACHABLE', 'the store did not answer a moment ago');
      try {
        return await work();
      } catch (error) {
        if (isAway(error) && now() - began >= longMs) until = now() + silentMs;
        throw error;
      }
    },
    bound: (work, url) =>
      new Promise((resolve, reject) => {
        const cancel = startDeadline(() => {
          const at = url();
          const store = at === undefined ? 'the store' : `the store at ${at}`;
          reject(new SkulkError('STORE_UNREACHABLE', `${store} did not answer within ${answerMs / 1000} s`));
        }, answerMs);
        work.then(resolve, reject).finally(cancel);
      }),
  };
}

/** Whether a failure means that the store is unreachable. */
export const isAway = (error: unknown): boolean =>
  (error instanceof SkulkError && (error.code === 'STORE_UNREACHABLE' || error.code === 'STORE_NOT_CONFIGURED')) ||
  (error instanceof HubRefusal && error.kind === 'notFound');
