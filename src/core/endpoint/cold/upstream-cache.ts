import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Listing, Source } from '../../sources/source.ts';

/** Identifies a listing. */
export interface ListingRef {
  readonly modelId: ModelId;
  /** A branch, tag or commit. */
  readonly revision: string;
  /** See `SourceRef`. */
  readonly via?: string | undefined;
}

/** Caches the listings of a source, so that it is contacted once for many requests. */
export interface UpstreamCache {
  /**
   * The listing of a model at a revision. The listing of a commit is cached while there is space, that of a branch for a minute, and a
   * failure for half a minute. While the source does not answer, the last listing of a branch is returned.
   * @throws the source's own errors; the signal's reason; SkulkError STORE_BUSY when too many requests for different listings wait
   */
  list(ref: ListingRef, signal: AbortSignal): Promise<Listing>;
}

/** How long entries are valid, in milliseconds, and how many are kept. */
export interface CacheLimits {
  readonly branchMs: number;
  readonly failureMs: number;
  /** The same for a failure that is not about the model. */
  readonly passingMs: number;
  /** The total over all listings. */
  readonly maxFiles: number;
  readonly maxListings: number;
  /** Requests that wait for the source at one time. A client can leave, but its request to the source continues. */
  readonly maxAsking: number;
}

export const usualCacheLimits: CacheLimits = {
  branchMs: 60_000,
  failureMs: 30_000,
  passingMs: 3_000,
  maxFiles: 200_000,
  maxListings: 1_000,
  maxAsking: 256,
};

/** The answer for a reference. */
interface Answer {
  readonly at: number;
  readonly commit?: string;
  readonly failure?: { readonly error: unknown };
}

/**
 * Starts empty.
 * @param now milliseconds of a monotonic clock
 * @param over aborted when there will be no more requests
 * @param isPassing whether a failure is not about the model, because the source was unreachable
 */
export function createUpstreamCache(
  source: Pick<Source, 'list'>,
  {
    over,
    isPassing,
    limits = usualCacheLimits,
    now = () => performance.now(),
  }: {
    readonly over: AbortSignal;
    readonly isPassing: (error: unknown) => boolean;
    readonly limits?: CacheLimits;
    readonly now?: () => number;
  },
): UpstreamCache {
  /** By model and commit, least recently used first. */
  const listings = new Map<string, Listing>();
  /** By model and revision. */
  const answers = new Map<string, Answer>();
  const asking = new Map<string, Promise<Listing>>();
  let files = 0;

  const known = (modelId: ModelId, commit: string): Listing | undefined => {
    const key = keyOf(modelId, commit);
    const listing = listings.get(key);
    if (listing === undefined) return undefined;
    listings.delete(key);
    listings.set(key, listing);
    return listing;
  };
  const remember = (listing: Listing): void => {
    const key = keyOf(listing.modelId, listing.commit);
    files += listing.files.length - (listings.get(key)?.files.length ?? 0);
    listings.delete(key);
    listings.set(key, listing);
    for (const [oldest, { files: theirs }] of listings) {
      if (listings.size <= 1 || (files <= limits.maxFiles && listings.size <= limits.maxListings)) break;
      listings.delete(oldest);
      files -= theirs.length;
    }
  };
  const answer = (key: string, given: Omit<Answer, 'at'>): void => {
    answers.delete(key);
    answers.set(key, { at: now(), ...given });
    for (const [oldest] of answers) {
      if (answers.size <= limits.maxListings) break;
      answers.delete(oldest);
    }
  };
  const believedMs = ({ failure }: Answer): number => {
    if (failure === undefined) return limits.branchMs;
    return isPassing(failure.error) ? limits.passingMs : limits.failureMs;
  };
  const ask = async (ref: ListingRef, key: string, before: Listing | undefined): Promise<Listing> => {
    try {
      const listing = await source.list(ref, over);
      remember(listing);
      answer(key, { commit: listing.commit });
      return listing;
    } catch (error) {
      if (!over.aborted) answer(key, { failure: { error }, ...(before !== undefined && { commit: before.commit }) });
      if (before === undefined || !isPassing(error)) throw error;
      return before;
    }
  };
  return {
    list: async (ref, signal) => {
      const { modelId, revision } = ref;
      const same = isCommit(revision) ? known(modelId, revision) : undefined;
      if (same !== undefined) return same;
      const key = keyOf(modelId, revision);
      const last = answers.get(key);
      const before = last?.commit === undefined ? undefined : known(modelId, last.commit);
      if (last !== undefined && now() - last.at < believedMs(last)) {
        if (before !== undefined && (last.failure === undefined || isPassing(last.failure.error))) return before;
        if (last.failure !== undefined) throw last.failure.error;
      }
      let answering = asking.get(key);
      if (answering === undefined) {
        if (asking.size >= limits.maxAsking)
          throw new SkulkError('STORE_BUSY', `${asking.size} requests wait for Hugging Face, which is the limit`, {
            hint: 'try again in a moment',
            retryAfterMs: 1000,
          });
        answering = ask(ref, key, before).finally(() => asking.delete(key));
        asking.set(key, answering);
      }
      return await unlessAborted(answering, signal);
    },
  };
}

const keyOf = (modelId: ModelId, revision: string): string => `${modelId}@${revision}`;
const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** Waits for shared work; an abort only ends this wait. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
