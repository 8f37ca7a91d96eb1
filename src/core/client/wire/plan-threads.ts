/** A transfer must have this many bytes per thread: starting one takes some twenty milliseconds. */
const perThreadBytes = 32 * 1024 * 1024;
/** More threads do not help one network card; measured with up to eight. */
const usualThreads = 4;
/** The maximum that a user may request. */
const maxThreads = 32;

/**
 * How many threads a transfer gets. Pure.
 * @param asked the user's choice; if undefined, the machine decides
 * @returns 0 if the calling thread is enough
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
