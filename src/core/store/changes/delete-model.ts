import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import { findSharer } from '../disk/inside-store.ts';
import { noModel } from '../no-model.ts';
import { filesOf } from '../own-model.ts';
import type { StoreContext } from '../store-context.ts';

/**
 * Decides to delete a model, and deletes it.
 * @param onRemoved called when the model is gone, before anything else is changed
 * @param mayGo called under the store's lock; rejects if the model must stay
 * @returns the number of its bytes
 * @throws SkulkError MODEL_NOT_FOUND, CONFLICT while it is in use here, without `force`
 */
export async function deleteModel(
  modelId: ModelId,
  {
    force,
    onRemoved,
    mayGo = async () => {},
  }: { readonly force: boolean; readonly onRemoved: () => void; readonly mayGo?: () => Promise<void> },
  { writer, registry, records, whenUnused }: StoreContext,
): Promise<{ readonly freedBytes: number }> {
  const before = (await registry()).entries.get(modelId);
  return writer.write(async () => {
    const { entries } = await registry();
    const entry = entries.get(modelId);
    // An earlier delete was interrupted, e.g. by a full disk, and has just been finished.
    if (entry === undefined && before !== undefined) return { freedBytes: before.total_bytes };
    if (entry === undefined) throw noModel(modelId);
    refuseSharedDirectory(entry, entries.values());
    await mayGo();
    const files = filesOf(entry, await records.read(modelId).catch(() => undefined));
    const work = (): Promise<void> => writer.carryOut({ op: 'remove', modelId, storePath: entry.store_path, files });
    await (force ? work() : whenUnused(modelId, work));
    onRemoved();
    return { freedBytes: entry.total_bytes };
  });
}

/** Deleting one of two models that share a directory would delete the other. */
export function refuseSharedDirectory({ model_id, store_path }: RegistryEntry, entries: Iterable<RegistryEntry>): void {
  const sharer = findSharer(store_path, model_id, entries);
  if (sharer !== undefined)
    throw new SkulkError('CONFLICT', `${model_id} shares its directory with ${sharer.model_id}`, {
      hint: 'correct store_path in registry.json first',
    });
}
