import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { findContentProblems, requireUsable } from '../catalog/contents/find-content-problems.ts';
import { withGgufKinds } from '../catalog/contents/gguf-kind.ts';
import { type KindFile, kindOf } from '../catalog/selection/file-kind.ts';
import { findGroup } from '../catalog/selection/find-group.ts';
import { isBroken, listGroups, loadableGguf } from '../catalog/selection/groups.ts';
import { problems } from '../catalog/selection/problems.ts';
import { selectionError } from '../catalog/selection/selection-error.ts';
import { isParticular } from '../catalog/selection/wanted-files.ts';
import { isSideKind, sideKindsOf } from '../catalog/side-kinds.ts';
import type { DownloadName, DownloadRequest } from '../jobs/contract.ts';
import { fileNameOf, heldStatus } from '../jobs/download-kind.ts';
import { createDownloadQueue, type DownloadQueue, type DownloadReport } from '../jobs/download-queue.ts';
import { SkulkError } from '../kernel/errors.ts';
import { explainSystemError } from '../kernel/explain-system-error.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import { describeLockHolder, type HeldLock, readLock } from '../kernel/process/lock.ts';
import type { ArrivedChunk, DownloadStatus } from '../protocol/downloads.ts';
import type { SideKind } from '../protocol/manifest.ts';
import type { RegistryEntry } from '../protocol/models/entries.ts';
import { downloadModel } from '../sources/download-model.ts';
import { storeLayout } from '../store/layout.ts';
import type { LocalStore } from '../store/local-store.ts';
import { readFingerprint } from '../transfer/fingerprint.ts';
import type { SharedDownload } from '../transfer/share-bytes.ts';
import type { Deps } from './deps.ts';
import { openHub, requireOnline } from './open-hub.ts';
import { otherPlaces, type PlacesOfDownloads, removeOldestLeftover, sweepDownloads } from './sweep-downloads.ts';

/** The connections of one download. The Hub serves some ten megabytes per second on each. */
const connections = 8;

/**
 * The downloads of the store on this machine's disk.
 * @param held the store's lock, in the process that serves it
 * @param share lets others read files of a download, and reuses files that they have begun
 */
export function createHostDownloads(
  deps: Deps,
  store: LocalStore,
  held?: Pick<HeldLock, 'assertHeld'>,
  share?: (modelId: ModelId) => Promise<SharedDownload>,
): DownloadQueue {
  const layout = storeLayout(store.root);
  const removals = new EventEmitter<Record<ModelId, [files?: ReadonlySet<string>]>>();
  store.onRemoved((modelId, files) => removals.emit(modelId, files));
  const onRemoved = (modelId: ModelId, listener: (files?: ReadonlySet<string>) => void): Disposable => {
    removals.on(modelId, listener);
    return { [Symbol.dispose]: () => void removals.off(modelId, listener) };
  };
  const queue = createDownloadQueue({
    directory: layout.jobs,
    maxRunning: deps.config.settings.maxDownloads.value,
    world: deps.world,
    assertHeld: held?.assertHeld,
    findResult: async (request) => {
      const there = await findInStore(store, request);
      if (there !== undefined) {
        if (request.strict === true) await requireUsableModel(store, request.modelId, deps.world.signal);
        return { details: { ggufFile: there.ggufFile }, bytesTotal: there.bytes };
      }
      // It is better to fail at the request than in the download.
      await store.requirePlace(request.modelId);
      requireOnline(deps);
      return undefined;
    },
    requireOurs: async (modelId) => {
      const holder = await readLock(downloadLock(store.root, modelId));
      if (holder !== undefined)
        throw new SkulkError('LOCKED', `another command is ${describeLockHolder(holder)}`, {
          hint: 'wait for it to end, or stop that process, then try again',
        });
    },
    fetch: async (request, signal, report) => {
      // An earlier download in the queue may have fetched it.
      const there = await findInStore(store, request);
      if (there !== undefined && request.strict !== true) {
        return report({ ggufFile: there.ggufFile ?? undefined, bytesTotal: there.bytes, bytesDone: there.bytes, bytesAtHand: there.bytes });
      }
      // A request to an earlier process may be forbidden by now.
      requireOnline(deps);
      try {
        using opened = await openHub(deps, { connections });
        const place = { path: downloadPlace(store.root, request), lock: downloadLock(store.root, request.modelId) };
        const reportAll = (now: DownloadReport): void => {
          // Without a server, the waiting command shows them.
          if (held !== undefined) for (const message of now.warnings ?? []) deps.world.emit({ type: 'warning', message });
          report(now);
        };
        const onWait = (message: string): void => deps.world.emit({ type: 'waiting', message });
        await downloadModel(request, {
          source: opened.hub,
          store,
          place,
          otherPlaces: () => otherPlaces(place.path, directoryName(request.modelId)),
          makeRoom: () => removeOldestLeftover(places),
          connections,
          signal,
          report: reportAll,
          onWait,
          share,
          onRemoved,
        });
      } catch (error) {
        throw explainSystemError(error, `cannot download ${request.modelId} into ${store.root}`);
      }
    },
  });
  const places = placesOf(deps, store.root, queue);
  const status = async ({ modelId, downloadId }: DownloadName): Promise<DownloadStatus> => {
    try {
      return await queue.status({ modelId, downloadId });
    } catch (error) {
      if (!(error instanceof SkulkError) || error.code !== 'JOB_NOT_FOUND' || downloadId !== undefined) throw error;
      const entry = (await store.listModels()).find(({ model_id }) => model_id === modelId);
      if (entry === undefined) throw error;
      const { total_bytes: bytes, downloaded_at: since } = entry;
      return heldStatus({ modelId, bytes, since, ggufFile: loadableGguf(await readFileKinds(store, entry)) ?? null });
    }
  };
  return { ...queue, status };
}

/** Removes the data of finished downloads that are not resumed for this long. */
export const sweepHostDownloads = (
  deps: Deps,
  { root }: LocalStore,
  queue: DownloadQueue,
  staleAfterMs: () => Promise<number>,
): AsyncDisposable =>
  sweepDownloads(placesOf(deps, root, queue), async () => {
    await queue.load();
    return staleAfterMs();
  });

const placesOf = ({ world }: Deps, root: string, queue: DownloadQueue): PlacesOfDownloads => ({
  directory: storeLayout(root).downloads,
  isActive: queue.isActivePlace,
  forget: queue.forgetPlace,
  world,
});

/** A model's files, with the kinds of those that only look like weights. */
async function readFileKinds(store: LocalStore, { model_id, store_path, files }: RegistryEntry): Promise<readonly KindFile[]> {
  const sides = files.some((path) => isSideKind(kindOf(path))) ? await readSideKinds(store, model_id) : new Map<string, SideKind>();
  return withGgufKinds(
    files.map((path) => (sides.has(path) ? { path, gguf_kind: sides.get(path) } : { path })),
    (path) => join(store.root, store_path, path),
  );
}

/** The files that the manifest marks as no weights; empty before the model is hashed. */
async function readSideKinds(store: LocalStore, modelId: ModelId): Promise<ReadonlyMap<string, SideKind>> {
  const answer = await store.manifest(modelId).catch(() => undefined);
  return answer?.state === 'ready' ? sideKindsOf(answer.manifest.files) : new Map();
}

/**
 * The stored files for a request, if they are complete. Without a revision, any one is accepted. A branch may have moved, so only a
 * commit is sure to be current. Patterns need the listing of the repo.
 * @throws SkulkError USAGE for a file and a selector that contradict each other
 */
async function findInStore(
  store: LocalStore,
  { modelId, revision, ...wanted }: DownloadRequest,
): Promise<{ readonly ggufFile: string | null; readonly bytes: number } | undefined> {
  const entry = (await store.listModels()).find(({ model_id }) => model_id === modelId);
  if (entry === undefined || isParticular(wanted) || (await store.lacksProjector(entry))) return undefined;
  const named = wanted.ggufFile ?? wanted.selector;
  const files = (await readFileKinds(store, entry)).map((file) => ({ ...file, size: 0 }));
  const found = named === undefined ? undefined : findGroup(files, named);
  if (found !== undefined && (found.state !== 'found' || isBroken(found.group))) return undefined;
  if (wanted.ggufFile !== undefined && wanted.selector !== undefined) {
    const other = findGroup(files, wanted.selector);
    // The listing of the repo knows more.
    if (other.state === 'none') return undefined;
    const groups = other.state === 'found' ? [other.group] : other.groups;
    if (groups.every(({ ggufFile }) => ggufFile !== found?.group.ggufFile))
      throw selectionError(problems.twoSelectors(wanted.ggufFile, wanted.selector), { modelId, where: 'in the store' });
  }
  // A quantization with a missing shard is completed.
  if (found === undefined && listGroups(files).some(isBroken)) return undefined;
  if (revision !== undefined) {
    const answer = await store.manifest(modelId);
    if (answer.state !== 'ready' || answer.manifest.commit !== revision) return undefined;
  }
  const directory = join(store.root, entry.store_path);
  const looks = await mapConcurrently(found?.group.files ?? [], maxOpenFiles, ({ path }) => readFingerprint(join(directory, path)));
  const bytes = found === undefined ? entry.total_bytes : looks.reduce((sum, look) => sum + (look?.size ?? 0), 0);
  return { ggufFile: found?.group.ggufFile ?? loadableGguf(files) ?? null, bytes };
}

/** Throws INTEGRITY for a stored model that no program can load. */
async function requireUsableModel(store: LocalStore, modelId: ModelId, signal: AbortSignal): Promise<void> {
  const entry = (await store.listModels()).find(({ model_id }) => model_id === modelId);
  if (entry === undefined) return;
  const directory = join(store.root, entry.store_path);
  const looks = await mapConcurrently(entry.files, maxOpenFiles, (path) => readFingerprint(join(directory, path)));
  const files = entry.files.flatMap((path, index) => {
    const size = looks[index]?.size;
    return size === undefined ? [] : [{ path, size, absolute: join(directory, path) }];
  });
  requireUsable(await findContentProblems(files, signal), modelId);
}

/** Each download has its own directory, so that its data is kept while another one runs. */
const downloadPlace = (root: string, request: DownloadRequest): string => join(storeLayout(root).downloads, fileNameOf(request));

/** The lock for downloading files of a model. */
const downloadLock = (root: string, modelId: ModelId): string => join(storeLayout(root).downloads, directoryName(modelId), 'lock');

/** The directories of files that are being fetched for Hub clients. */
export function onDemandPlace({ root }: LocalStore): { readonly directory: string; readonly fetched: string } {
  const { onDemand, fetched } = storeLayout(root);
  return { directory: onDemand, fetched };
}

/** The file of an arrived chunk, during its download. */
export const arrivedFile = (
  root: string,
  { chunk, request }: { readonly chunk: ArrivedChunk; readonly request: DownloadRequest },
): string => join(downloadPlace(root, request), 'files', chunk.path);
