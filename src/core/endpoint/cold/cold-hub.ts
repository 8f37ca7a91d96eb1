import { SkulkError } from '../../kernel/errors.ts';
import { isRelativePath } from '../../kernel/files/relative-path.ts';
import type { Emit } from '../../kernel/flow/events.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { formatBytes } from '../../kernel/units.ts';
import type { Listing, Source, SourceFile } from '../../sources/source.ts';
import type { LocalStore } from '../../store/local-store.ts';
import { requireRoom } from '../../transfer/disk-room.ts';
import { promiseOf } from '../../transfer/promised-file.ts';
import type { SharedDownload } from '../../transfer/share-bytes.ts';
import { type ColdHub, type HubFile, HubFileMoved, HubRefusal, type HubRepo, type UpstreamRepo } from '../contract.ts';
import { usualFetchLimits } from './bytes/file-fetch.ts';
import type { FetchLimits } from './bytes/file-fetch-contract.ts';
import { type ColdFile, createColdFiles, keyOf } from './files/cold-files.ts';
import { createFetchedFiles } from './files/fetched-files.ts';
import { createFilePublisher } from './files/publish-files.ts';
import { createSharedDownloads } from './files/share-download.ts';
import { removeOnDemand, sweepOnDemand, throttleSweep } from './files/sweep.ts';
import { firstPart } from './first-part.ts';
import { gatedRefusal, toHubRefusal } from './map-refusal.ts';
import { type ColdDownloads, createColdDownloads, planColdDownload, type QueueOfDownloads } from './queue-downloads.ts';
import { createUpstreamCache } from './upstream-cache.ts';
import { watchUpstream } from './watch-upstream.ts';

/** The current settings. */
export interface ColdSettings {
  /** See docs/configuration.md, `hub.upstream`. */
  readonly upstream: 'on-demand' | 'job' | 'off';
  readonly maxFetchBytes: number;
  readonly shareGated: boolean;
}

/** The options of a cold hub. */
export interface ColdHubOptions {
  readonly store: LocalStore;
  readonly source: Source;
  /** The directory of files during their fetch. */
  readonly directory: string;
  /** The directory in which the store records fetched files. */
  readonly fetched: string;
  readonly settings: () => Promise<ColdSettings>;
  readonly downloads: () => QueueOfDownloads;
  readonly emit: Emit;
  /** Aborted when the process ends. */
  readonly signal: AbortSignal;
  readonly limits?: FetchLimits;
  /** How long to wait for the first byte before the answer begins, in milliseconds. */
  readonly firstMs?: number;
  /** How long to wait for a listing, in milliseconds. */
  readonly lookMs?: number;
}

/** A cold hub with its interface for the store's downloads. */
export interface HostColdHub extends ColdHub {
  /** Whether a model of the store is hidden from Hub clients. */
  isHidden(modelId: ModelId): Promise<boolean>;
  /** Shares the files of a download that begins. */
  share(modelId: ModelId): Promise<SharedDownload>;
  close(): Promise<void>;
}

/** A request for a file of at least this size is a request for weights (docs/hub-endpoint.md). In bytes. */
const weightBytes = 10 * 1024 * 1024;

/** The source is not contacted yet. */
export function createColdHub(options: ColdHubOptions): HostColdHub {
  const { store, directory, settings, emit, limits = usualFetchLimits, firstMs = 3_000, lookMs = 8_000 } = options;
  const closing = new AbortController();
  const signal = AbortSignal.any([options.signal, closing.signal]);
  const { source, whyAway } = watchUpstream(options.source);
  const cache = createUpstreamCache(source, { over: signal, isPassing: source.isTransient });
  const downloads: ColdDownloads = createColdDownloads(options.downloads, {
    emit,
    onOver: (modelId) => {
      publisher.retry(modelId);
      for (const one of cold.all()) if (one.modelId === modelId && !one.fetch.mayAsk && !one.fetch.isFed()) one.fetch.fail(isOver(modelId));
    },
  });
  const cold = createColdFiles({
    directory,
    source,
    limits,
    signal,
    emit,
    isWanted: ({ modelId }) => options.downloads().isActive(modelId),
    onVerified: (file) => publisher.add(file),
  });
  const shared = createSharedDownloads(cold);
  const publisher = createFilePublisher({
    store,
    isBusy: (modelId) => options.downloads().isActive(modelId),
    onPublished: shared.close,
    emit,
  });
  const isLive = (path: string): boolean => cold.all().some(({ partial }) => partial.path() === path);
  const sweep = throttleSweep(() => sweepOnDemand(directory, { now: new Date(), isLive }));
  store.onRemoved((modelId, files) => {
    if (files !== undefined) return;
    void removeOnDemand(directory, modelId, isLive).catch(() => undefined);
    void fetched.forget(modelId);
  });
  const fetched = createFetchedFiles(options.fetched);

  const listingOf = async (modelId: ModelId, revision: string, over: AbortSignal, via?: string): Promise<Listing> => {
    const { shareGated } = await settings();
    const listing = await cache.list({ modelId, revision, ...(via !== undefined && { via }) }, over);
    if (listing.about?.isRestricted !== true) return listing;
    // A hidden repo looks like a missing one.
    if (!shareGated) throw new HubRefusal('repoNotFound', `${modelId} is not in this store`);
    // A LAN client must not use the owner's token to fetch a gated repo.
    if (!(await store.has(modelId))) throw gatedRefusal(modelId);
    return listing;
  };
  const begin = async (repo: HubRepo, file: SourceFile, isWeight: boolean): Promise<ColdFile> => {
    const { upstream, maxFetchBytes } = await settings();
    sweep();
    const key = keyOf(repo.id, file.path, promiseOf(file));
    const known = cold.find(key) ?? shared.find(repo.id, file, key);
    const listing = await listingOf(repo.id, repo.commit, signal);
    const plan = isWeight ? planColdDownload(listing, file.path, repo) : undefined;
    if (known === undefined) {
      const missing = [file, ...(plan?.files ?? [])].filter(({ path }) => repo.byPath.get(path)?.isHeld !== true);
      requireAllowed(repo.id, await fetched.of(repo.id), missing, maxFetchBytes);
      await requireRoom(directory, file.size, `fetching ${file.path} of ${repo.id}`, { isStore: true });
      await fetched.add(repo.id, file);
    }
    const one =
      known ?? cold.find(key) ?? cold.begin({ modelId: repo.id, listing, file, mayAsk: upstream !== 'job' || plan === undefined });
    if (plan !== undefined) downloads.queue(plan, (error) => one.fetch.isFed() || one.fetch.mayAsk || one.fetch.fail(error));
    return one;
  };
  return {
    isOn: async () => (await settings()).upstream !== 'off',
    isHidden: async (modelId) => {
      const { shareGated } = await settings();
      if (shareGated) return false;
      const { restricted } = (await store.upstream(modelId).catch(() => undefined)) ?? {};
      return restricted === true;
    },
    findListing: async ({ modelId, revision, via }, over) => {
      try {
        return toUpstreamRepo(await patiently(listingOf(modelId, revision, over, via), { modelId, ms: lookMs, after: limits.after }));
      } catch (error) {
        throw over.aborted ? over.reason : toHubRefusal(error, modelId);
      }
    },
    head: async (repo, { path, size }) => {
      const why = whyAway();
      if (size < weightBytes && why !== undefined && !isHere(repo, path)) throw unreachable(repo, { path, size, why });
    },
    open: async (repo, file, { range, asker, signal: over }) => {
      if (!asker.mayFetch)
        throw new HubRefusal(
          'mayNotFetch',
          `${repo.id} is not completely in the store, and this caller may not start a download: use a token with the role node`,
        );
      try {
        const one = await begin(repo, toSourceFile(repo, file), file.size >= weightBytes);
        // In the meantime its last reader has left, or its download has ended.
        if (one.fetch.isLeft()) throw new HubFileMoved(repo.id, file.path);
        const bytes = await firstPart(one.fetch.read(range, over), {
          ms: firstMs,
          after: limits.after,
          onLate: () => {
            const why = whyAway();
            if (why !== undefined) throw unreachable(repo, { ...file, why });
          },
        });
        return { kind: 'stream', bytes };
      } catch (error) {
        if (over.aborted) throw over.reason;
        if (error instanceof HubFileMoved && error.cause !== undefined) await shared.ended(repo.id);
        const refusal = toHubRefusal(error, repo.id);
        // Clients retry after a 503 and never show its message; for weights they should show it.
        if (refusal instanceof HubRefusal && refusal.kind === 'unreachable' && file.size >= weightBytes)
          throw new HubRefusal('absent', refusal.message, { cause: refusal });
        throw refusal;
      }
    },
    share: async (modelId) => {
      await publisher.settled(modelId);
      downloads.watch();
      return shared.share(modelId);
    },
    close: async () => {
      closing.abort(new SkulkError('STORE_BUSY', 'the store is being closed', { hint: 'try again in a moment' }));
      for (const one of cold.all()) one.fetch.fail(closing.signal.reason);
    },
  };
  function isHere({ id }: HubRepo, path: string): boolean {
    return cold.all().some(({ modelId, file, fetch }) => modelId === id && file.path === path && fetch.bytes() >= file.size);
  }
}

function toSourceFile({ id }: HubRepo, { path, size, oid, lfs }: HubFile): SourceFile {
  if (!isRelativePath(path)) throw new HubRefusal('notFound', `${id} has a path that this store cannot hold`);
  return { path, size, oid, ...(lfs !== undefined && { sha256: lfs.sha256 }) };
}

function toUpstreamRepo({ modelId, commit, files, about }: Listing): UpstreamRepo {
  const { isRestricted, lastModified, createdAt, tags = [], libraryName, pipelineTag, cardData } = about ?? {};
  return {
    repo: modelId,
    commit,
    files,
    ...(isRestricted !== undefined && { restricted: isRestricted }),
    lastModified,
    createdAt,
    facts: { tags, libraryName, pipelineTag, cardData },
  };
}

const unreachable = ({ id }: HubRepo, { path, size, why }: Pick<HubFile, 'path' | 'size'> & { readonly why: string }): HubRefusal =>
  new HubRefusal(
    size < weightBytes ? 'unreachable' : 'absent',
    `the store does not have ${JSON.stringify(path)} of ${id}, and cannot fetch it now: ${why} (try again later)`,
  );

const isOver = (modelId: ModelId): SkulkError =>
  new SkulkError('STORE_BUSY', `the download of ${modelId} has ended without this file`, { hint: 'repeat the request' });

/** A late listing is still cached for the next request. */
function patiently<T>(
  work: Promise<T>,
  { modelId, ms, after }: { readonly modelId: ModelId; readonly ms: number; readonly after: FetchLimits['after'] },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(
      () => reject(new HubRefusal('unreachable', `Hugging Face did not answer in time for ${modelId}: try again in a moment`)),
      ms,
    );
    work.then(resolve, reject).finally(cancel);
  });
}

/** Throws noRoom if the files of a model that were fetched for Hub clients would exceed the size limit. Pure. */
function requireAllowed(modelId: ModelId, fetched: ReadonlyMap<string, number>, files: readonly SourceFile[], max: number): void {
  const all = new Map([...fetched, ...files.map(({ path, size }) => [path, size] as const)]);
  const bytes = [...all.values()].reduce((sum, size) => sum + size, 0);
  if (bytes <= max) return;
  throw new HubRefusal(
    'noRoom',
    `${modelId} needs ${formatBytes(bytes)}, but requests of Hub clients may download at most ${formatBytes(max)} of a model: run "skulk download ${modelId}" on the store host, or raise hub.max_fetch_bytes`,
  );
}
