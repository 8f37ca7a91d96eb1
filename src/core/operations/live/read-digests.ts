import { groupsOf } from '../../catalog/manifest.ts';
import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import type { StoredQuantization } from '../../protocol/models/shown-model.ts';
import type { StagingView } from '../../protocol/staging.ts';
import type { Store } from '../../store/contract.ts';
import type { StoreView } from './follow-store.ts';

/** The digests of a model in the store, to be compared with those of its copies. */
export interface StoredDigests {
  readonly digest: Sha256;
  readonly quantizations: readonly Pick<StoredQuantization, 'selector' | 'digest'>[];
}

/** By model: only those that have a copy somewhere. */
export type DigestsOfStore = ReadonlyMap<ModelId, StoredDigests>;

/** The part of a view that names the copies. */
interface Copies {
  readonly store: StoreView | null;
  readonly staging: StagingView | null;
}

/** After a failure, or while the store hashes a model, it is asked again no sooner. */
const againAfterMs = 30_000;

/**
 * Reads the digests of the staged models once, and again when the store has changed a model, because its list has no digests. A copy of the
 * same content costs the store nothing but the comparison with the last answer.
 * @returns to be called with every new view
 */
export function createDigestReader(deps: Deps, onChange: (digests: DigestsOfStore) => void): (view: Copies) => void {
  const { signal } = deps.world;
  const known = new Map<ModelId, { readonly stamp: string; readonly digests?: StoredDigests | undefined; readonly at: number }>();
  let latest: Copies = { store: null, staging: null };
  let isReading = false;
  const next = () =>
    stagedModels(latest).find(({ modelId, stamp }) => {
      const last = known.get(modelId);
      return last?.stamp !== stamp || (last.digests === undefined && performance.now() - last.at > againAfterMs);
    });
  const read = async (): Promise<void> => {
    await using opened = await openStore(deps);
    for (let wanted = next(); wanted !== undefined && !signal.aborted; wanted = next()) {
      const { modelId, stamp } = wanted;
      const before = known.get(modelId)?.digests;
      const digests = await digestsOf(opened.store, modelId, { before, signal }).catch(() => undefined);
      known.set(modelId, { stamp, digests, at: performance.now() });
      if (digests !== before) onChange(new Map([...known].flatMap(([id, one]) => (one.digests === undefined ? [] : [[id, one.digests]]))));
    }
  };
  return (view) => {
    latest = view;
    if (isReading || next() === undefined) return;
    isReading = true;
    // The list of the store shows why it cannot be reached.
    void read()
      .catch(() => undefined)
      .finally(() => {
        isReading = false;
      });
  };
}

/** The models with a copy that has a digest, and the state of each in the store. */
function stagedModels({ store, staging }: Copies): readonly { readonly modelId: ModelId; readonly stamp: string }[] {
  // The Python program has no digests.
  if (store === null || (store.health?.version ?? '') === '') return [];
  const staged = new Set<ModelId>([
    ...(staging?.models ?? []).filter(({ digest }) => digest !== null).map(({ model_id }) => model_id),
    ...(store.nodes ?? []).flatMap(({ copies }) =>
      (copies ?? []).filter(({ quantizations = [] }) => quantizations.some(({ digest }) => digest != null)).map(({ model_id }) => model_id),
    ),
  ]);
  return (store.models ?? [])
    .filter(({ model_id }) => staged.has(model_id))
    .map(({ model_id, downloaded_at, total_bytes, file_count }) => ({
      modelId: model_id,
      stamp: [downloaded_at, total_bytes, file_count].join(' '),
    }));
}

/** Undefined while the store is hashing the model. */
async function digestsOf(
  store: Store,
  modelId: ModelId,
  { before, signal }: { readonly before: StoredDigests | undefined; readonly signal: AbortSignal },
): Promise<StoredDigests | undefined> {
  const answer = await store.manifest(modelId, { signal, ...(before !== undefined && { knownDigest: before.digest }) });
  if (answer.state === 'unchanged') return before;
  if (answer.state !== 'ready') return undefined;
  const { digest, files } = answer.manifest;
  return { digest, quantizations: groupsOf(files).map(({ selector, digest: own }) => ({ selector, digest: own })) };
}
