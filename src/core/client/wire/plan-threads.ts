/** A thread is worth its start from so many bytes on: it takes some twenty milliseconds. */
const perThreadBytes = 32 * 1024 * 1024;
/** More do not help one network card, as was measured with up to eight. */
const usualThreads = 4;
/** What a person may ask for. */
const maxThreads = 32;

/**
 * How many threads a transfer gets. Pure.
 * @param asked what the person wants; the machine decides when undefined
 * @returns 0 when the asking thread itself will do
 */
export function planThreads({
  bytes,
  cores,
  asked,
}: {
  readonly bytes: number;
  readonly cores: number;
  readonly asked: number | undefined;
}): number {
  const worth = Math.floor(bytes / perThreadBytes);
  return Math.min(worth, asked ?? Math.min(cores, usualThreads), maxThreads);
}
