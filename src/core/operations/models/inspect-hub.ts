import { holdingOf, withKnownKinds } from '../../catalog/held-files.ts';
import { describePlan } from '../../catalog/selection/describe-plan.ts';
import { listQuantizations } from '../../catalog/selection/list-quantizations.ts';
import { type SelectionRequest, selectFiles } from '../../catalog/selection/select-files.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import { selectionOf, type WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { UpstreamFile } from '../../catalog/upstream.ts';
import type { Deps } from '../../connect/deps.ts';
import { openHub, requireOnline } from '../../connect/open-hub.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Manifest, ManifestFile } from '../../protocol/manifest.ts';
import type { DownloadPlan, HubOffer } from '../../protocol/models/hub-offer.ts';
import type { Store } from '../../store/contract.ts';
import type { LocalStore } from '../../store/local-store.ts';
import { keptListing } from './kept-listing.ts';

const maxFiles = 1000;
const maxQuantizations = 500;

/** A question about a model on Hugging Face. */
interface Asked {
  readonly modelId: ModelId;
  readonly revision?: string | undefined;
  /** The options of the download to plan. */
  readonly wanted?: WantedFiles | undefined;
  /** Whether the listing of the last download may answer if Hugging Face cannot be asked. */
  readonly mayBeKept?: boolean | undefined;
  readonly signal: AbortSignal;
}

/**
 * Describes a model on Hugging Face without fetching it.
 * @throws SkulkError FILE_NOT_FOUND, USAGE for impossible options; HUB_OFFLINE, MODEL_NOT_FOUND, REVISION_NOT_FOUND, HUB_REFUSED,
 * HUB_BUSY, HUB_UNREACHABLE
 */
export async function inspectHub(deps: Deps, asked: Asked): Promise<HubOffer> {
  if (asked.mayBeKept !== true) requireOnline(deps);
  await using opened = await openStore(deps);
  return await inspectFor(opened.store, deps, asked);
}

/** The same for an opened store; undefined if there is none. */
export async function inspectFor(
  store: Store | LocalStore | undefined,
  deps: Deps,
  { modelId, revision = 'main', wanted, mayBeKept, signal }: Asked,
): Promise<HubOffer> {
  if (mayBeKept !== true) requireOnline(deps);
  const manifest = store && (await manifestOf(store, modelId));
  const { commit, listed, kept } = await listFiles(
    deps,
    { modelId, revision, signal },
    mayBeKept === true && store !== undefined ? { store, manifest } : undefined,
  );
  const files = withKnownKinds(listed, manifest?.files ?? []);
  const request = { modelId, pin: store && (await pinOfCard(store, modelId)) };
  const plan = wanted && planOf(files, { ...selectionOf(wanted, request.pin), modelId });
  const selection = selectFiles(files, request);
  const taken = selection.taken.map(({ file: { path, size } }) => ({ path, size }));
  const groups = new Map(selection.groups.map((group) => [group.ggufFile, group]));
  const held = new Map<string, ManifestFile>(manifest?.files.map((file) => [file.path, file]));
  // Their content is unknown until they are hashed.
  const unhashed = new Set(store !== undefined && manifest === undefined ? await pathsOf(store, modelId) : []);
  return {
    modelId,
    revision,
    commit,
    files: taken.toSorted((a, b) => b.size - a.size).slice(0, maxFiles),
    file_count: taken.length,
    total_bytes: taken.reduce((sum, { size }) => sum + size, 0),
    quantizations: listQuantizations(files, { selection, request, limit: maxQuantizations }).map((one) => {
      const group = groups.get(one.gguf_file);
      const holding = group === undefined ? 'none' : holdingOf(group, held);
      const isHere = holding !== 'none' || unhashed.has(one.gguf_file);
      return {
        ...one,
        in_store: isHere,
        ...(holding === 'older' && { is_older: true }),
        ...(group !== undefined && { own_bytes: group.sizeBytes, bits_per_weight: group.label?.bitsPerWeight ?? null }),
      };
    }),
    ...(plan !== undefined && { plan }),
    ...(kept !== undefined && { kept }),
  };
}

interface Listed {
  readonly commit: string;
  readonly listed: readonly UpstreamFile[];
  /** Present if Hugging Face could not be asked. */
  readonly kept?: HubOffer['kept'];
}

/** @param instead the store whose kept listing may answer if Hugging Face cannot be asked */
async function listFiles(
  deps: Deps,
  { modelId, revision, signal }: { readonly modelId: ModelId; readonly revision: string; readonly signal: AbortSignal },
  instead: { readonly store: Store | LocalStore; readonly manifest: Manifest | undefined } | undefined,
): Promise<Listed> {
  try {
    requireOnline(deps);
    using opened = await openHub(deps, { connections: 1 });
    const { commit, files } = await opened.hub.list({ modelId, revision }, AbortSignal.any([signal, deps.world.signal]));
    return { commit, listed: files };
  } catch (error) {
    if (instead === undefined || !isOutOfReach(error)) throw error;
    const kept = await keptListing(instead.store, modelId);
    const isOfRevision = kept !== undefined && (kept.commit === revision || instead.manifest?.revision === revision);
    if (!isOfRevision) throw error;
    return { commit: kept.commit, listed: kept.files, kept: { reason: error.message } };
  }
}

const isOutOfReach = (error: unknown): error is SkulkError =>
  error instanceof SkulkError && ['HUB_OFFLINE', 'HUB_UNREACHABLE', 'HUB_BUSY'].includes(error.code);

function planOf(files: readonly UpstreamFile[], request: SelectionRequest & { readonly modelId: ModelId }): DownloadPlan {
  const selection = selectFiles(files, request);
  if (selection.problem !== undefined) throw selectionError(selection.problem, { modelId: request.modelId, where: 'on Hugging Face' });
  return describePlan(selection);
}

/** Only a store on this machine's disk has the cards. */
const pinOfCard = async (store: Store | LocalStore, modelId: ModelId): Promise<string | undefined> =>
  'cardOf' in store ? (await store.cardOf(modelId))?.ggufFile : undefined;

const pathsOf = async (store: Store, modelId: ModelId): Promise<readonly string[]> =>
  (await store.listModels()).find(({ model_id }) => model_id === modelId)?.files ?? [];

/** Undefined if the store does not have the model, or has not hashed it. */
async function manifestOf(store: Store, modelId: ModelId): Promise<Manifest | undefined> {
  try {
    const answer = await store.manifest(modelId);
    return answer.state === 'ready' ? answer.manifest : undefined;
  } catch (error) {
    if (error instanceof SkulkError && (error.code === 'MODEL_NOT_FOUND' || error.code === 'INTEGRITY')) return undefined;
    throw error;
  }
}
