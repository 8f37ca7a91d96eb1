import { join } from 'node:path';
import { isParticular, selectionOf } from '../catalog/selection/wanted-files.ts';
import type { DownloadRequest } from '../jobs/contract.ts';
import type { DownloadReport } from '../jobs/download-queue.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { pause } from '../kernel/flow/backoff.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { LocalStore } from '../store/local-store.ts';
import { requireDistinctNames } from '../transfer/name-folding.ts';
import type { SharedDownload } from '../transfer/share-bytes.ts';
import { promiseOfPlanned } from './joined-file.ts';
import { type FetchPlan, planFetch } from './plan-fetch.ts';
import type { Source } from './source.ts';

/** What planning a download needs. */
interface PlanTools {
  readonly source: Source;
  readonly store: LocalStore;
  readonly signal: AbortSignal;
  readonly report: (now: DownloadReport) => void;
  /** Those who read the files while they arrive. It gets the commit. */
  readonly sharing: SharedDownload | undefined;
}

/** A plan, and the store's files of the model at that moment. */
export interface DownloadPlan extends FetchPlan {
  readonly present: PresentModel | undefined;
  /** The files that are reused from the model in the store, which are not part of the progress. */
  readonly held: ReadonlySet<string>;
  /** The part of the existing bytes that is not counted in the progress. */
  readonly heldBytes: number;
}

/**
 * Plans a download: lists the repo, selects its files, and finds the ones that the store already has. Reports the commit, the selected file,
 * warnings and the number of bytes.
 * @throws SkulkError CONFLICT if the model was added or made here, or if the disk cannot tell two of its files apart; MODEL_NOT_FOUND for a
 * repo without files; FILE_NOT_FOUND or USAGE for an impossible selection; the errors of the source
 */
export async function planDownload(
  { modelId, revision = 'main', ...wanted }: DownloadRequest,
  { source, store, signal, report, sharing }: PlanTools,
): Promise<DownloadPlan> {
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
  const held = heldFiles(plan, present?.manifest);
  const known = [...held, ...plan.kept];
  const bytesToCome = plan.total - sumOf(held);
  // Clients divide one by the other, so a complete model shows its own total instead of zeros.
  const [bytesTotal, heldBytes] = bytesToCome === 0 ? [plan.total, sumOf(plan.kept)] : [bytesToCome, sumOf(known)];
  report({ bytesTotal, bytesDone: 0 });
  return { ...plan, present, held: new Set(known.map(({ path }) => path)), heldBytes };
}

const sumOf = (files: readonly { readonly size: number }[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** The planned files that the stored model has with the same content. */
function heldFiles({ files }: FetchPlan, present: Manifest | undefined): FetchPlan['files'] {
  const held = new Map(present?.files.map((file) => [file.path, file]));
  const isHeld = (file: FetchPlan['files'][number]): boolean => {
    const there = held.get(file.path);
    const { value } = promiseOfPlanned(file);
    return there?.size === file.size && (there.hub_id === value || there.sha256 === value);
  };
  return files.filter(isHeld);
}

const verbOf = ({ source }: Manifest): string => (source === 'add' ? 'skulk add' : 'skulk optimize');

/** A model in the store, with its digests. */
interface PresentModel {
  readonly manifest: Manifest;
  readonly directory: string;
}

/** Undefined if it is missing or incomplete. */
async function whatIsThere(store: LocalStore, modelId: ModelId, signal: AbortSignal): Promise<PresentModel | undefined> {
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
