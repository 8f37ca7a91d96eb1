import type { Source } from '../../sources/source.ts';

/** A source, and whether it was reachable recently. */
export interface WatchedSource {
  readonly source: Source;
  /** Why the last recent request failed, if the source was unreachable or busy; otherwise undefined. */
  whyAway(): string | undefined;
}

/** How long it counts as unreachable, in milliseconds, unless a request succeeds. */
const awayMs = 30_000;

/** @param now milliseconds of a monotonic clock */
export function watchUpstream(source: Source, now: () => number = () => performance.now()): WatchedSource {
  let away: { readonly until: number; readonly why: string } | undefined;
  const failed = (error: unknown, signal: AbortSignal): void => {
    if (!signal.aborted && source.isTransient(error))
      away = { until: now() + awayMs, why: error instanceof Error ? error.message : `${source.name} does not answer` };
  };
  const answered = (): void => {
    away = undefined;
  };
  return {
    whyAway: () => (away !== undefined && now() < away.until ? away.why : undefined),
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
