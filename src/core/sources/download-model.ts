import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeProblems, findContentProblems, requireUsable } from '../catalog/contents/find-content-problems.ts';
import { withGgufKinds } from '../catalog/contents/gguf-kind.ts';
import { loadableGguf } from '../catalog/selection/groups.ts';
import type { DownloadRequest } from '../jobs/contract.ts';
import type { DownloadReport } from '../jobs/download-queue.ts';
import { SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { acquireLock, describeLockHolder } from '../kernel/process/lock.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { LocalStore } from '../store/local-store.ts';
import { unlimited } from '../transfer/rate-limiter.ts';
import type { SharedDownload } from '../transfer/share-bytes.ts';
import { forgetWorkNames, markAsMoving } from '../transfer/work-names.ts';
import { enterWorkPlace, removeWorkPlace } from '../transfer/work-place.ts';
import { fetchPlanned } from './fetch-planned.ts';
import { promiseOfPlanned } from './joined-file.ts';
import { type DownloadPlan, planDownload } from './plan-download.ts';
import type { Source } from './source.ts';
import { type DownloadPlace, takeLeftovers } from './take-leftovers.ts';

/** The time limit for another process that downloads, in milliseconds. This process may be interrupted at any time. */
const lockTimeoutMs = 24 * 3600_000;

/** The maximum number of plans for a download, if the model changes in the meantime. */
const maxRounds = 20;

/** The tools of a download. */
export interface DownloadTools {
  readonly source: Source;
  readonly store: LocalStore;
  /** A directory on the store's own file system, possibly with data of an earlier try, and the lock of all downloads of the model. */
  readonly place: { readonly path: string; readonly lock: string };
  /** The directories of the model's other downloads, none of which is running. */
  readonly otherPlaces: () => Promise<readonly string[]>;
  /** Removes the data of an abandoned download, if there is one; called if space is short. @returns whether space was freed */
  readonly makeRoom: () => Promise<boolean>;
  readonly connections: number;
  readonly signal: AbortSignal;
  readonly report: (now: DownloadReport) => void;
  readonly onWait: (message: string) => void;
  /** Called before anything of the model is read. */
  readonly share?: ((modelId: ModelId) => Promise<SharedDownload>) | undefined;
  /** Calls the listener when the model, or some of its files, are removed from the store, until the returned handle is disposed. */
  readonly onRemoved?: ((modelId: ModelId, listener: (files?: ReadonlySet<string>) => void) => Disposable) | undefined;
}

/**
 * Fetches a model from a source into the store. Existing files are reused, and the store publishes the verified ones. If other files of
 * the model are removed or added in the meantime, it is planned again, and nothing is fetched twice. Waits for another process that
 * downloads files of the model.
 * @throws SkulkError CONFLICT if the store has the model from elsewhere, NO_SPACE, INTEGRITY, with `strict` also for an invalid model,
 * the source's errors
 */
export async function downloadModel(request: DownloadRequest, tools: DownloadTools): Promise<void> {
  const { modelId } = request;
  const { store, place, signal, onWait } = tools;
  await store.requirePlace(modelId);
  for (const directory of [place.path, dirname(place.lock)]) await makeDirectory(directory);
  // Without a server, two commands may download files of the same model.
  await using lock = await acquireLock(place.lock, {
    purpose: `downloading ${modelId}`,
    timeoutMs: lockTimeoutMs,
    signal,
    onWait: (holder) => onWait(`waiting for ${describeLockHolder(holder)}`),
  });
  for (let changes = 0; ; ) {
    const ended = await bring(request, { ...tools, assertHeld: lock.assertHeld });
    if (ended === 'published') break;
    // Space can only be freed as often as there are leftovers.
    if (ended === 'changed') changes += 1;
    if (changes === maxRounds)
      throw new SkulkError('CONFLICT', `other commands keep changing ${modelId}`, {
        hint: 'download it again when they have ended',
      });
  }
  const { journal, ...left } = placeAt(place.path);
  await forgetWorkNames(left);
  if (dirname(place.lock) === place.path) await rm(journal, { force: true });
  else await removeWorkPlace(left);
}

/**
 * @returns whether the model is published; otherwise it was changed in the meantime, or space was freed, so that it must be planned again
 */
async function bring(
  request: DownloadRequest,
  { onRemoved, share, ...tools }: DownloadTools & { readonly assertHeld: () => Promise<void> },
): Promise<'published' | 'changed' | 'room-made'> {
  const { modelId } = request;
  const changed = new AbortController();
  let planned: ReadonlySet<string> = new Set();
  using _removals = onRemoved?.(modelId, (files) => {
    if (files === undefined || !files.isDisjointFrom(planned)) changed.abort();
  });
  let isPublished = false;
  const sharing = await share?.(modelId);
  await using _sharing = { [Symbol.asyncDispose]: async () => sharing?.end(isPublished) };
  const signal = AbortSignal.any([tools.signal, changed.signal]);
  try {
    const plan = await planDownload(request, { ...tools, sharing, signal });
    planned = new Set([...plan.files, ...plan.kept].map(({ path }) => path));
    isPublished = await fetchAndPublish(request, plan, { ...tools, sharing, signal });
    return isPublished ? 'published' : 'changed';
  } catch (error) {
    if (tools.signal.aborted) throw error;
    if (changed.signal.aborted) return 'changed';
    if (isNoRoom(error) && (await tools.makeRoom())) return 'room-made';
    throw error;
  }
}

type Step = Omit<DownloadTools, 'share' | 'onRemoved' | 'onWait'> & {
  readonly assertHeld: () => Promise<void>;
  readonly sharing: SharedDownload | undefined;
};

/** @returns false if the model was changed right before it was published */
async function fetchAndPublish(
  { modelId, revision = 'main', strict = false, ...wanted }: DownloadRequest,
  plan: DownloadPlan,
  { source, store, place: { path }, otherPlaces, connections, signal, report, sharing, assertHeld }: Step,
): Promise<boolean> {
  const files = join(path, 'files');
  const { listing, present } = plan;
  await enterWorkPlace(
    { path, files },
    [...plan.files, ...plan.kept].map(({ path }) => path),
  );
  const promised = plan.files.map((file) => ({ path: file.path, size: file.size, id: promiseOfPlanned(file) }));
  await takeLeftovers(promised, { to: placeAt(path), others: (await otherPlaces()).map(placeAt) });
  const sizes = new Map(plan.files.map(({ path, size }) => [path, size]));
  const fetched = await fetchPlanned(plan, {
    source,
    place: placeAt(path),
    isStore: true,
    present,
    connections,
    limiter: unlimited,
    signal,
    // For one more quantization beside twelve existing ones, only the new one counts as progress.
    onBytes: (done, _, bytesAtHand, bytesLost) => report({ bytesDone: Math.max(0, done - plan.heldBytes), bytesAtHand, bytesLost }),
    sharing,
    onPiece: ({ path, start, end, sha256 }) => report({ chunk: { path, file_size: sizes.get(path) ?? end, start, end, sha256 } }),
  });
  const problems = await findContentProblems(
    fetched.files.map((file) => ({ path: file.path, size: file.size, absolute: join(files, file.path) })),
    signal,
  );
  if (strict) requireUsable(problems, modelId);
  // Problems of earlier files were reported when they were fetched.
  const news = problems.filter((one) => !plan.held.has(one.path));
  if (news.length > 0) report({ warnings: [...plan.warnings, ...describeProblems(news, modelId)] });
  // A projector may have a name like weights. A file that the request names stays selected.
  const isNamed = wanted.ggufFile !== undefined || wanted.selector !== undefined;
  const kinds = isNamed ? [] : await withGgufKinds(fetched.files, (path) => join(files, path));
  const instead = kinds.some((file) => file.path === plan.ggufFile && file.gguf_kind !== undefined) ? loadableGguf(kinds) : undefined;
  if (instead !== undefined) report({ ggufFile: instead });
  await assertHeld();
  await markAsMoving({ path, files });
  const { commit, about } = listing;
  const upstream = { repo: modelId, commit, files: listing.files, ...(about !== undefined && { restricted: about.isRestricted }) };
  const origin = { source: source.kind, commit, upstream };
  let isAsPlanned = true;
  // Files that were removed in the meantime must not come back, and added ones must not disappear.
  const mayReplace = (digest: Sha256 | undefined): boolean => {
    isAsPlanned = present === undefined || digest === present.manifest.digest;
    return isAsPlanned;
  };
  try {
    await store.publish({ modelId, from: files, files: fetched.files, revision, origin, mayReplace }, { signal });
    return true;
  } catch (error) {
    if (isAsPlanned) throw error;
    return false;
  }
}

const placeAt = (path: string): DownloadPlace => ({ path, files: join(path, 'files'), journal: join(path, 'journal') });

const isNoRoom = (error: unknown): boolean => error instanceof SkulkError && error.code === 'NO_SPACE';
