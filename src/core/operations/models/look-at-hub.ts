import { describePlan } from '../../catalog/selection/describe-plan.ts';
import type { SizedFile } from '../../catalog/selection/groups.ts';
import { listQuantizations } from '../../catalog/selection/list-quantizations.ts';
import { type SelectionRequest, selectFiles } from '../../catalog/selection/select-files.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import { selectionOf, type WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { openHub, requireOnline } from '../../connect/open-hub.ts';
import { openStore } from '../../connect/open-store.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { DownloadPlan, HubOffer } from '../../protocol/models.ts';
import type { LocalStore, Store } from '../../store/contract.ts';

const maxFiles = 1000;
const maxQuantizations = 500;

/**
 * Describes a model on Hugging Face without fetching it.
 * @param wanted the options of the download to plan
 * @throws SkulkError FILE_NOT_FOUND, USAGE for impossible options; HUB_OFFLINE, MODEL_NOT_FOUND, REVISION_NOT_FOUND, HUB_REFUSED,
 * HUB_BUSY, HUB_UNREACHABLE
 */
export async function lookAtHub(
  deps: Deps,
  {
    modelId,
    revision = 'main',
    wanted,
    signal,
  }: {
    readonly modelId: ModelId;
    readonly revision?: string | undefined;
    readonly wanted?: WantedFiles | undefined;
    readonly signal: AbortSignal;
  },
): Promise<HubOffer> {
  requireOnline(deps);
  await using store = await openStore(deps);
  using opened = await openHub(deps, { connections: 1 });
  const listing = await opened.hub.list({ modelId, revision }, AbortSignal.any([signal, deps.world.signal]));
  const files: readonly SizedFile[] = listing.files.map(({ path, size }) => ({ path, size }));
  const request = { modelId, pin: await pinOfCard(store.store, modelId) };
  const plan = wanted && planOf(files, { ...selectionOf(wanted, request.pin), modelId });
  const selection = selectFiles(files, request);
  const taken = selection.taken.map(({ file }) => file);
  const present = (await store.store.listModels()).find(({ model_id }) => model_id === modelId);
  const held = new Set(present?.files);
  return {
    modelId,
    revision,
    commit: listing.commit,
    files: taken.toSorted((a, b) => b.size - a.size).slice(0, maxFiles),
    file_count: taken.length,
    total_bytes: taken.reduce((sum, { size }) => sum + size, 0),
    quantizations: listQuantizations(files, { selection, request, limit: maxQuantizations }).map((one) => ({
      ...one,
      in_store: held.has(one.gguf_file),
    })),
    ...(plan !== undefined && { plan }),
  };
}

function planOf(files: readonly SizedFile[], request: SelectionRequest & { readonly modelId: ModelId }): DownloadPlan {
  const selection = selectFiles(files, request);
  if (selection.problem !== undefined) throw selectionError(selection.problem, { modelId: request.modelId, where: 'on Hugging Face' });
  return describePlan(selection);
}

/** Only a store on this machine's disk has the cards. */
const pinOfCard = async (store: Store | LocalStore, modelId: ModelId): Promise<string | undefined> =>
  'cardOf' in store ? (await store.cardOf(modelId))?.ggufFile : undefined;
