import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeProblems, findContentProblems, requireUsable } from '../catalog/contents/find-content-problems.ts';
import { isParticular, selectionOf } from '../catalog/selection/wanted-files.ts';
import type { DownloadRequest } from '../jobs/contract.ts';
import type { DownloadReport } from '../jobs/download-queue.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { pause } from '../kernel/flow/backoff.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { acquireLock, describeLockHolder } from '../kernel/process/lock.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { LocalStore } from '../store/contract.ts';
import { requireDistinctNames } from '../transfer/name-folding.ts';
import { unlimited } from '../transfer/rate-limiter.ts';
import type { SharedDownload } from '../transfer/share-bytes.ts';
import { enterWorkPlace, removeWorkPlace } from '../transfer/work-place.ts';
import { fetchPlanned } from './fetch-planned.ts';
import { planFetch } from './plan-fetch.ts';
import type { Source } from './source.ts';

/** Another process that downloads ends sooner or later, and this one may be interrupted; in milliseconds. */
const lockTimeoutMs = 24 * 3600_000;

/**
 * Brings a model from a source into the store: what is there already is taken over, and the store publishes what was verified.
 * @param place.path a directory of the store's own file system, where an earlier try may have left something
 * @param place.lock held while something of the model is brought; another process is waited for
 * @throws SkulkError CONFLICT when the store has the model from elsewhere, NO_SPACE, INTEGRITY, with `strict` also for what cannot be a model, the source's errors
 */
export async function downloadModel(
  { modelId, revision = 'main', ...wanted }: DownloadRequest,
  {
    source,
    store,
    place,
    connections,
    signal,
    report,
    onWait,
    share,
  }: {
    readonly source: Source;
    readonly store: LocalStore;
    readonly place: { readonly path: string; readonly lock: string };
    readonly connections: number;
    readonly signal: AbortSignal;
    readonly report: (now: DownloadReport) => void;
    readonly onWait: (message: string) => void;
    /** Called before anything of the model is looked at. */
    readonly share?: ((modelId: ModelId) => Promise<SharedDownload>) | undefined;
  },
): Promise<void> {
  await store.requirePlace(modelId);
  const { path, lock: lockPath } = place;
  const files = join(path, 'files');
  for (const directory of [path, dirname(lockPath)]) await makeDirectory(directory);
  // Without a server two commands may want something of the same model.
  await using lock = await acquireLock(lockPath, {
    purpose: `downloading ${modelId}`,
    timeoutMs: lockTimeoutMs,
    signal,
    onWait: (holder) => onWait(`waiting for ${describeLockHolder(holder)}`),
  });
  let isPublished = false;
  const sharing = await share?.(modelId);
  await using _sharing = { [Symbol.asyncDispose]: async () => sharing?.end(isPublished) };
  const listing = await source.list({ modelId, revision }, signal);
  sharing?.listed(listing.commit);
  report({ commit: listing.commit });
  const present = await whatIsThere(store, modelId, signal);
  if (present !== undefined && (present.manifest.source === 'add' || present.manifest.source === 'optimized'))
    throw new SkulkError('CONFLICT', `${modelId} was added with \`${verbOf(present.manifest)}\`, so it is not replaced`, {
      hint: `delete it first, or add it under another name`,
    });
  const card = (await store.cardOf(modelId))?.ggufFile;
  const completes = wanted.ggufFile === undefined && wanted.selector === undefined && !isParticular(wanted);
  const plan = planFetch(listing, { source, request: selectionOf(wanted, card), present: present?.manifest, completes });
  report({ ggufFile: plan.ggufFile, warnings: plan.warnings });
  await requireDistinctNames(store.root, { paths: [...plan.files, ...plan.kept].map(({ path }) => path), of: modelId });
  report({ bytesTotal: plan.total, bytesDone: 0 });
  await enterWorkPlace(
    { path, files },
    [...plan.files, ...plan.kept].map(({ path }) => path),
  );
  const sizes = new Map(plan.files.map(({ path, size }) => [path, size]));
  const fetched = await fetchPlanned(plan, {
    source,
    place: { files, journal: join(path, 'journal') },
    isStore: true,
    present,
    connections,
    limiter: unlimited,
    signal,
    onBytes: (bytesDone, _, bytesAtHand) => report({ bytesDone, bytesAtHand }),
    sharing,
    onPiece: ({ path, start, end, sha256 }) => report({ chunk: { path, file_size: sizes.get(path) ?? end, start, end, sha256 } }),
  });
  const problems = await findContentProblems(
    fetched.files.map((file) => ({ path: file.path, size: file.size, absolute: join(files, file.path) })),
    signal,
  );
  if (wanted.strict === true) requireUsable(problems, modelId);
  if (problems.length > 0) report({ warnings: [...plan.warnings, ...describeProblems(problems, modelId)] });
  await lock.assertHeld();
  const { commit, about } = listing;
  const upstream = { repo: modelId, commit, files: listing.files, ...(about !== undefined && { restricted: about.isRestricted }) };
  const origin = { source: source.kind, commit, upstream };
  await store.publish({ modelId, from: files, files: fetched.files, revision, origin }, { signal });
  isPublished = true;
  if (dirname(lockPath) === path) await rm(join(path, 'journal'), { force: true });
  else await removeWorkPlace({ path, files });
}

const verbOf = ({ source }: Manifest): string => (source === 'add' ? 'skulk add' : 'skulk optimize');

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
