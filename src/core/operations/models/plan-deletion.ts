import { join } from 'node:path';
import { checkRevision } from '../../catalog/check-revision.ts';
import { planRemoval } from '../../catalog/selection/plan-removal.ts';
import { selectionError } from '../../catalog/selection/selection-error.ts';
import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { mapConcurrently, maxOpenFiles } from '../../kernel/flow/concurrency.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import { noSuchModel } from '../../kernel/no-such-model.ts';
import { mayHave } from '../../protocol/describe/may-have.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import { stagingLayout } from '../../staging/layout.ts';
import { listCopies } from '../../staging/list-copies.ts';
import type { Store } from '../../store/contract.ts';
import { readFingerprint } from '../../transfer/fingerprint.ts';

/** What `skulk delete` is about to do. */
export interface DeletionPlan {
  readonly models: readonly {
    readonly model_id: ModelId;
    /** The quantization to remove, as named by the store; absent if the whole model is deleted. */
    readonly selector?: string;
    /** Its own files, which are removed. */
    readonly files?: readonly string[];
    /** Whether it is the last one, so that the model is deleted with it. */
    readonly is_last?: boolean;
    readonly total_bytes: number;
    /** Whether this machine has a copy. */
    readonly staged: boolean;
    /** The hostnames of the machines that reported a copy to the store. */
    readonly staged_on: readonly string[];
    /** The same machines: several may have the same hostname. */
    readonly nodes: readonly { readonly node_id: string; readonly hostname: string }[];
  }[];
  /** All machines that the store knows: several may have the same hostname. */
  readonly known: readonly { readonly node_id: string; readonly hostname: string }[];
}

/** Gets each model and quantization that is not in the store. Without it, that is an error. */
export type OnMissing = (ref: ModelRef) => void;

/**
 * Plans a deletion.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, FILE_NOT_FOUND for items that are not in the store
 */
export async function planDeletion(
  deps: Deps,
  { refs, onMissing }: { readonly refs: readonly ModelRef[]; readonly onMissing?: OnMissing | undefined },
): Promise<DeletionPlan> {
  await using opened = await openStore(deps);
  const { store } = opened;
  const entries = new Map((await store.listModels()).map((entry) => [entry.model_id, entry]));
  const nodes = await opened
    .fleet()
    .then((fleet) => fleet.nodes())
    .catch(() => []);
  const { copies } = await listCopies(stagingLayout(deps.config.settings.nodeCachePath.value));
  const models: DeletionPlan['models'][number][] = [];
  for (const ref of refs) {
    const { modelId } = ref;
    const entry = entries.get(modelId);
    const bytes = entry?.total_bytes ?? ((await isOnlyAnEntry(store, modelId, deps.world.signal)) ? 0 : undefined);
    if (bytes === undefined) {
      const error = noSuchModel(modelId, `in the store at ${store.location}`, entries.keys(), 'nothing was deleted');
      if (!isIgnored(error, ref, onMissing)) throw error;
      continue;
    }
    const part =
      ref.selector === undefined ? undefined : await planPart(store, { ...ref, selector: ref.selector }, entry, deps.world.signal);
    if (part !== undefined && 'missing' in part) {
      if (!isIgnored(part.missing, ref, onMissing)) throw part.missing;
      continue;
    }
    if (ref.revision !== undefined) {
      const answer = await store.manifest(modelId, { signal: deps.world.signal });
      if (answer.state === 'ready') checkRevision(ref, answer.manifest);
    }
    const { selector, files: [first] = [] } = part ?? {};
    const isStaged = await mapConcurrently(
      copies.filter((copy) => copy.modelId === modelId),
      maxOpenFiles,
      async ({ directory }) => first === undefined || (await readFingerprint(join(directory, first))) !== undefined,
    );
    const holders = nodes.filter((node) =>
      node.copies?.some((copy) => copy.model_id === modelId && (selector === undefined || mayHave(copy, selector))),
    );
    models.push({
      model_id: modelId,
      total_bytes: bytes,
      ...part,
      staged: isStaged.includes(true),
      staged_on: holders.map(({ hostname }) => hostname),
      nodes: holders.map(({ node_id, hostname }) => ({ node_id, hostname })),
    });
  }
  return { models, known: nodes };
}

/** Whether an error only says that an item is not in the store, and the caller collects such items. */
export function isIgnored(error: unknown, ref: ModelRef, onMissing: OnMissing | undefined): boolean {
  if (onMissing === undefined || !(error instanceof SkulkError)) return false;
  if (error.code !== 'MODEL_NOT_FOUND' && error.code !== 'FILE_NOT_FOUND') return false;
  onMissing(ref);
  return true;
}

/** Plans the removal of one quantization, or returns the error that says that it is not there. */
async function planPart(
  store: Store,
  { modelId, selector }: ModelRef & { readonly selector: string },
  entry: RegistryEntry | undefined,
  signal: AbortSignal,
): Promise<
  | (Pick<DeletionPlan['models'][number], 'selector' | 'files' | 'is_last'> & { readonly total_bytes: number })
  | { readonly missing: SkulkError }
> {
  // Without a manifest only the sizes are less exact: the names show which files belong together.
  const answer = await store.manifest(modelId, { signal }).catch((error: unknown) => {
    if (signal.aborted || entry === undefined) throw error;
    return undefined;
  });
  const files = answer?.state === 'ready' ? answer.manifest.files : (entry?.files ?? []).map((path) => ({ path, size: 0 }));
  const planned = planRemoval(files, selector);
  if ('problem' in planned) {
    const error = selectionError(planned.problem, { modelId, where: `in the store at ${store.location}` });
    if (planned.problem.code === 'no-such-selection') return { missing: error };
    throw error;
  }
  const { group, isLast } = planned;
  return {
    selector: group.selector,
    files: group.files.map(({ path }) => path),
    is_last: isLast,
    total_bytes: isLast ? (entry?.total_bytes ?? group.sizeBytes) : group.sizeBytes,
  };
}

/** Whether a registered model has lost its directory. Lists do not show such a model. */
async function isOnlyAnEntry(store: Store, modelId: ModelId, signal: AbortSignal): Promise<boolean> {
  try {
    const { models } = await store.verify({ refs: [{ modelId }], repair: false }, { signal });
    return models.some(({ status }) => status === 'missing');
  } catch (error) {
    // A store of another kind may not support this request.
    if (error instanceof SkulkError && ['MODEL_NOT_FOUND', 'STORE_UNREACHABLE', 'USAGE'].includes(error.code)) return false;
    throw error;
  }
}
