import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isGgufWeights } from '../../catalog/gguf-files.ts';
import type { Manifest } from '../../catalog/manifest.ts';
import { lacksProjector } from '../../catalog/model-files.ts';
import { findPinned } from '../../catalog/select-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { openHub, requireOnline } from '../../connect/open-hub.ts';
import type { ArrivedChunk, DownloadRequest } from '../../jobs/contract.ts';
import { createDownloadQueue, type DownloadQueue, type DownloadReport } from '../../jobs/download-queue.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { explainSystemError } from '../../kernel/explain-system-error.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { pause } from '../../kernel/flow/backoff.ts';
import { directoryName, type ModelId } from '../../kernel/model-id.ts';
import { acquireLock, type HeldLock } from '../../kernel/process/lock.ts';
import type { LocalStore } from '../../store/contract.ts';
import { storeLayout } from '../../store/layout.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';
import { unlimited } from '../../transfer/rate-limiter.ts';
import { enterWorkPlace } from '../../transfer/work-place.ts';
import { fetchPlanned, planFetch } from './fetch-model.ts';

/** Connections of one download. The Hub gives each some ten megabytes a second. */
const connections = 8;

/**
 * The downloads of the store on this machine's disk.
 * @param held the store's lock, in the process that serves it
 */
export function createHostDownloads(deps: Deps, store: LocalStore, held?: Pick<HeldLock, 'assertHeld'>): DownloadQueue {
  const layout = storeLayout(store.root);
  return createDownloadQueue({
    directory: layout.jobs,
    most: deps.config.settings.mostDownloads.value,
    world: deps.world,
    assertHeld: held?.assertHeld,
    isThere: async (request) => {
      if (await isThere(store, request)) return true;
      // Better said to whoever asks than by a download that fails.
      await store.requirePlace(request.modelId);
      return false;
    },
    requireOnline: () => requireOnline(deps),
    fetch: (request, signal, report) =>
      fetchIntoStore(deps, store, request, { signal, report }).catch((error: unknown) => {
        throw explainSystemError(error, `cannot download ${request.modelId} into ${store.root}`);
      }),
  });
}

/** Without a revision any will do; a branch may have moved, so only a commit is known to be there. */
async function isThere(store: LocalStore, { modelId, revision, ggufFile, selector }: DownloadRequest): Promise<boolean> {
  const entry = (await store.listModels()).find(({ model_id }) => model_id === modelId);
  if (entry === undefined || lacksProjector(entry.files, entry.repo_has_projector)) return false;
  const pin = ggufFile ?? selector;
  if (pin !== undefined && findPinned(entry.files.filter(isGgufWeights), pin) === undefined) return false;
  if (revision === undefined) return true;
  const answer = await store.manifest(modelId);
  return answer.state === 'ready' && answer.manifest.commit === revision;
}

async function fetchIntoStore(
  deps: Deps,
  store: LocalStore,
  { modelId, revision = 'main', ggufFile, selector, exact = false }: DownloadRequest,
  { signal, report }: { readonly signal: AbortSignal; readonly report: (now: DownloadReport) => void },
): Promise<void> {
  // What an earlier process was asked for may be forbidden by now.
  requireOnline(deps);
  await store.requirePlace(modelId);
  const { emit } = deps.world;
  const layout = storeLayout(store.root);
  const place = join(layout.downloads, directoryName(modelId));
  await makeDirectory(place);
  // Without a server two commands may want the same model.
  await using lock = await acquireLock(join(place, 'lock'), {
    purpose: `downloading ${modelId}`,
    timeoutMs: 0,
    signal,
  });
  using opened = await openHub(deps, { connections });
  const repo = await opened.hub.open(modelId, revision, signal);
  report({ commit: repo.commit });
  const present = await whatIsThere(store, modelId, signal);
  if (present !== undefined && present.manifest.source === 'add')
    throw new SkulkError('CONFLICT', `${modelId} was brought into the store with \`skulk add\`, so it is not replaced`, {
      hint: `delete it first, or add it under another name`,
    });
  const card = (await store.cardOf(modelId))?.ggufFile;
  const plan = planFetch(repo, { pins: { ggufFile, selector, card }, present: present?.manifest, exact, emit });
  await requireDistinctNames(store.root, { paths: [...plan.files, ...plan.kept].map(({ path }) => path), of: modelId });
  report({ bytesTotal: plan.total, bytesDone: 0 });
  await enterWorkPlace(
    { path: place, files: join(place, 'files') },
    [...plan.files, ...plan.kept].map(({ path }) => path),
  );
  const sizes = new Map(plan.files.map(({ path, size }) => [path, size]));
  const { files } = await fetchPlanned(plan, {
    opened,
    place: { files: join(place, 'files'), journal: join(place, 'journal') },
    isStore: true,
    present,
    connections,
    limiter: unlimited,
    signal,
    onBytes: (bytesDone) => report({ bytesDone }),
    onPiece: ({ path, start, end, sha256 }) => report({ chunk: { path, file_size: sizes.get(path) ?? end, start, end, sha256 } }),
  });
  await lock.assertHeld();
  await store.publish({ modelId, from: join(place, 'files'), files, revision, commit: repo.commit }, { signal });
  await rm(join(place, 'journal'), { force: true });
}

/** The model as it is in the store, hashed; undefined when it is not there, or not whole. */
async function whatIsThere(
  store: LocalStore,
  modelId: ModelId,
  signal: AbortSignal,
): Promise<{ readonly manifest: Manifest; readonly directory: string } | undefined> {
  for (;;) {
    const entry = (await store.listModels()).find(({ model_id }) => model_id === modelId);
    if (entry === undefined) return undefined;
    try {
      const answer = await store.manifest(modelId, { signal });
      if (answer.state === 'ready') return { manifest: answer.manifest, directory: join(store.root, entry.store_path) };
      await pause(answer.state === 'hashing' ? answer.retryAfterMs : 0, signal);
    } catch (error) {
      if (error instanceof SkulkError && (error.code === 'INTEGRITY' || error.code === 'MODEL_NOT_FOUND')) return undefined;
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}

/** The file of a chunk that has arrived, while it is being downloaded. */
export const arrivedFile = (root: string, modelId: ModelId, { path }: ArrivedChunk): string =>
  join(storeLayout(root).downloads, directoryName(modelId), 'files', path);
