import { startDeadline } from '../../kernel/flow/deadline.ts';

/**
 * Aborts work that takes too long.
 * @param ms the longest time that the work may take, in milliseconds
 * @param late makes the reason of the abort
 */
export async function limitTime<T>(
  { signal, ms, late }: { readonly signal: AbortSignal; readonly ms: number; readonly late: () => unknown },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = startDeadline(() => controller.abort(late()), ms);
  try {
    return await work(AbortSignal.any([signal, controller.signal]));
  } finally {
    stop();
  }
}
