import type { Source } from '../../sources/source.ts';

/** A source, and whether it was reachable recently. */
export interface WatchedSource {
  readonly source: Source;
  /** Whether the last recent request failed because the source was unreachable. */
  isAway(): boolean;
}

/** How long it counts as unreachable, in milliseconds, unless a request succeeds. */
const awayMs = 30_000;

/** @param now milliseconds of a monotonic clock */
export function watchUpstream(source: Source, now: () => number = () => performance.now()): WatchedSource {
  let awayUntil = Number.NEGATIVE_INFINITY;
  const failed = (error: unknown, signal: AbortSignal): void => {
    if (!signal.aborted && source.isTransient(error)) awayUntil = now() + awayMs;
  };
  const answered = (): void => {
    awayUntil = Number.NEGATIVE_INFINITY;
  };
  return {
    isAway: () => now() < awayUntil,
    source: {
      ...source,
      list: async (ref, signal) => {
        try {
          const listing = await source.list(ref, signal);
          answered();
          return listing;
        } catch (error) {
          failed(error, signal);
          throw error;
        }
      },
      open: async function* (listing, file, range, signal) {
        try {
          for await (const bytes of source.open(listing, file, range, signal)) {
            answered();
            yield bytes;
          }
        } catch (error) {
          failed(error, signal);
          throw error;
        }
      },
    },
  };
}
