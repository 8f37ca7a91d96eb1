import { checkRevision, hasRevision } from '../../../catalog/check-revision.ts';
import { isDownloaded } from '../../../catalog/manifest.ts';
import type { WantedFiles } from '../../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../../connect/deps.ts';
import type { OpenedStore } from '../../../connect/open-store.ts';
import type { DownloadName, Downloads } from '../../../jobs/contract.ts';
import { DownloadFailed } from '../../../kernel/download-failed.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import type { ModelRef } from '../../../kernel/model-id.ts';
import { suggestModel } from '../../../kernel/no-such-model.ts';
import type { Manifest } from '../../../protocol/manifest.ts';
import { type NeededFile, requireNeeded } from '../needed-files.ts';
import { selectPart } from '../select-part.ts';

/** What a store may do if it lacks a model. */
export interface DownloadOptions {
  /** Nothing may be downloaded now. */
  readonly dryRun: boolean;
  /** The store is a second one, which is only read. */
  readonly isReadOnly?: boolean;
  /** Which files to fetch if the store lacks the model. */
  readonly wanted: WantedFiles;
  /** The files whose paths are needed. A model without one of them is not downloaded. */
  readonly needs?: readonly NeededFile[];
  /** Copies the available parts of a model while the store is downloading it; runs until `hasEnded`. */
  readonly ahead: (downloads: Downloads, download: DownloadName, hasEnded: () => boolean) => Promise<void>;
}

/**
 * Lets the store download a missing model, and waits for it. Concurrent requests share the download.
 * @param missing the store's answer to the request for the model
 * @throws `missing` if it is not about a missing model; SkulkError MODEL_NOT_FOUND with the reason if nothing may be downloaded; the
 * download's own error
 */
export async function requestDownload(
  deps: Deps,
  opened: OpenedStore,
  ref: ModelRef,
  { missing, dryRun, isReadOnly = false, ...options }: { readonly missing: unknown } & DownloadOptions,
): Promise<void> {
  if (!(missing instanceof SkulkError) || missing.code !== 'MODEL_NOT_FOUND' || isReadOnly) throw missing;
  await refuseOtherCase(opened, ref);
  if (dryRun)
    throw new SkulkError('MODEL_NOT_FOUND', missing.message, {
      hint: 'without --dry-run it would be requested from Hugging Face',
      cause: missing,
    });
  const { requireOnline } = await import('../../../connect/open-hub.ts');
  try {
    if (!(await hasUpstream(opened))) requireOnline(deps, { isHere: true });
    await downloadAndWait(deps, opened, ref, options);
  } catch (failure) {
    if (!(failure instanceof SkulkError) || deps.world.signal.aborted) throw failure;
    throw await explainMissing(opened, ref, missing, failure);
  }
}

/**
 * A store never takes a second model whose id differs only by case, so a download could only fail.
 * @throws SkulkError MODEL_NOT_FOUND if the store has such a model
 */
async function refuseOtherCase({ store }: OpenedStore, { modelId }: ModelRef): Promise<void> {
  const known = (await store.listModels().catch(() => [])).map(({ model_id }) => model_id);
  const other = known.find((id) => id.toLowerCase() === modelId.toLowerCase());
  if (other === undefined || known.includes(modelId)) return;
  throw new SkulkError('MODEL_NOT_FOUND', `the store has no ${modelId}; did you mean ${other}?`, {
    hint: 'the names differ only by upper and lower case; `skulk registry` lists the models',
  });
}

/** Whether the store takes what it lacks from another store, so that Hugging Face is not asked. */
const hasUpstream = async ({ store }: OpenedStore): Promise<boolean> =>
  store.health().then(
    ({ upstream }) => upstream !== null,
    () => false,
  );

async function downloadAndWait(
  deps: Deps,
  opened: OpenedStore,
  ref: ModelRef,
  { wanted, needs = [], ahead }: Omit<DownloadOptions, 'dryRun' | 'isReadOnly'>,
): Promise<void> {
  if (needs.length > 0) {
    const { findPlan } = await import('../../models/plan-download.ts');
    const { plan } = await findPlan(deps, { ...wanted, ...ref, exact: true });
    if (plan !== undefined) requireNeeded(ref, needs, { files: plan.taken, companions: undefined });
  }
  const { waitForDownload } = await import('../../models/downloads.ts');
  const downloads = await opened.downloads();
  const { askDownload } = await import('../../models/ask-download.ts');
  const asked = await askDownload(deps, opened, { ...wanted, ...ref, exact: true });
  let hasEnded = false;
  // On the store's own machine, the copy is a clone, which is fast anyway.
  const copying =
    opened.localRoot === undefined && opened.url !== undefined
      ? ahead(downloads, { modelId: ref.modelId, downloadId: asked.download_id }, () => hasEnded)
      : undefined;
  try {
    await waitForDownload(downloads, asked, deps.world);
  } finally {
    hasEnded = true;
    await copying;
  }
}

/** Explains why there is no such model, and suggests a similar one. */
async function explainMissing(
  { store }: OpenedStore,
  { modelId }: ModelRef,
  missing: SkulkError,
  failure: SkulkError,
): Promise<SkulkError> {
  // The model exists, and the error lists what it has.
  if (failure.code === 'FILE_NOT_FOUND' || failure.code === 'REVISION_NOT_FOUND') return failure;
  const isOffline = failure.code === 'HUB_OFFLINE';
  const known = (await store.listModels().catch(() => [])).map(({ model_id }) => model_id);
  // A model that only lacks a part has the right name.
  const similar = known.includes(modelId) ? undefined : suggestModel(modelId, known);
  const isDownload = failure instanceof DownloadFailed;
  // Other failures are not about the name, or the message says that the model exists.
  const mayBeMisspelt = isOffline || similar !== undefined || (isDownload && failure.code === 'HUB_UNREACHABLE');
  if (!mayBeMisspelt) return failure;
  const hint = ['`skulk registry` lists the models', failure.hint].filter((one) => one !== undefined).join('; ');
  // A misspelt name is more likely than the failure of the download, so the suggestion comes first.
  const suggestion = similar === undefined ? '' : ` (did you mean ${similar}?)`;
  const what = isDownload ? `${known.includes(modelId) ? 'it ' : ''}could not be downloaded: ${failure.reason}` : failure.message;
  const message = `${missing.message}${suggestion}, and ${what}`;
  return new SkulkError(isOffline ? 'MODEL_NOT_FOUND' : failure.code, message, { hint, cause: failure });
}

/**
 * Lets the store download the missing part of a model: another revision, or other files.
 * @throws SkulkError REVISION_NOT_FOUND, FILE_NOT_FOUND for a model that is not from Hugging Face; as `requestDownload`
 */
export async function requestMissingPart(
  deps: Deps,
  opened: OpenedStore,
  ref: ModelRef,
  { manifest, ...options }: { readonly manifest: Manifest } & DownloadOptions,
): Promise<void> {
  if (!isDownloaded(manifest)) checkRevision(ref, manifest);
  if (manifest.source === 'add') selectPart(ref, manifest);
  const { modelId, revision, selector } = ref;
  const missing = new SkulkError(
    'MODEL_NOT_FOUND',
    hasRevision(ref, manifest)
      ? `the store has ${modelId}, but not ${selector}`
      : `the store has ${modelId} at ${manifest.revision ?? 'another revision'}, not at ${revision}`,
  );
  await requestDownload(deps, opened, ref, { missing, ...options });
}
