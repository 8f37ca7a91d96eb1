import { describeFailure } from '../kernel/explain-system-error.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { HeldLock } from '../kernel/process/lock.ts';
import type { World } from '../kernel/world.ts';
import type { RegistryEntry } from '../protocol/models/entries.ts';
import { createStoreWriter, type StoreWriter } from './changes/store-writer.ts';
import { isDirectoryInside } from './disk/inside-store.ts';
import type { StorePresence } from './disk/store-presence.ts';
import { type StoreLayout, storeLayout } from './layout.ts';
import { noModel } from './no-model.ts';
import { createModelLister, type ModelList } from './records/list-models.ts';
import { createModelRecords, type ModelRecords } from './records/model-records.ts';
import type { Registry } from './records/registry.ts';
import { createRegistryReader } from './records/registry-reader.ts';

/** The index of a store on disk: its registry and its manifests, their changes, and the listeners. */
export interface StoreIndex {
  readonly layout: StoreLayout;
  readonly records: ModelRecords;
  readonly writer: StoreWriter;
  readonly registry: () => Promise<Registry>;
  readonly list: () => Promise<ModelList>;
  /** The entry of a model whose directory exists. Waits while this process changes the model. Throws MODEL_NOT_FOUND. */
  readonly entryOf: (modelId: ModelId) => Promise<RegistryEntry>;
  /** Calls the listener right before and right after each change of this process. The returned function removes the listener. */
  readonly onChange: (listener: (isUnderWay: boolean) => void) => () => void;
}

/** Options for opening an index; see `DiskStoreOptions`. */
export interface StoreIndexOptions {
  readonly root: string;
  readonly world: World;
  readonly held: HeldLock | undefined;
  readonly identify: () => Promise<void>;
  readonly presence: StorePresence | undefined;
}

/** A server first finishes what a dead process began. Otherwise nothing is written before the first change. */
export function openStoreIndex({ root, world, held, identify, presence }: StoreIndexOptions): StoreIndex {
  const layout = storeLayout(root);
  const records = createModelRecords(layout);
  const readRegistry = createRegistryReader(layout, records, world);
  const listeners = new Set<(isUnderWay: boolean) => void>();
  const notifyChange = (isUnderWay: boolean): void => {
    for (const listener of listeners) listener(isUnderWay);
  };
  presence?.onChange(() => {
    // Another machine may have changed the store in the meantime.
    notifyChange(true);
    notifyChange(false);
  });
  const writer = createStoreWriter(layout, records, world, { held, onChange: notifyChange, identify, presence });
  const recovered = held === undefined ? undefined : recoverNow(writer, world);
  const registry = async (): Promise<Registry> => {
    await recovered;
    return readRegistry();
  };
  return {
    layout,
    records,
    writer,
    registry,
    list: createModelLister(root, registry, writer.steps),
    entryOf: (modelId) => entryOf(modelId, { root, writer, registry }),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** If that fails, complete models are served, and the next change tries again. */
const recoverNow = (writer: StoreWriter, { emit }: World): Promise<void> =>
  writer
    .write(async () => {})
    .catch((error: unknown) => emit({ type: 'warning', message: describeFailure('could not finish an interrupted change', error) }));

async function entryOf(
  modelId: ModelId,
  { root, writer, registry }: { readonly root: string } & Pick<StoreIndex, 'writer' | 'registry'>,
): Promise<RegistryEntry> {
  for (;;) {
    await writer.settled(modelId);
    const steps = writer.steps();
    const entry = (await registry()).entries.get(modelId);
    if (entry !== undefined && (await isDirectoryInside(root, entry.store_path))) return entry;
    // While one directory replaces another, there is a moment without any.
    if (writer.steps() === steps) throw noModel(modelId);
  }
}
