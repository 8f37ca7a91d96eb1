import { join } from 'node:path';
import { makeManifest } from '../../catalog/manifest.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import { rejectOnAbort } from '../../kernel/flow/reject-on-abort.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import type { OnBytes, WorkOptions } from '../contract.ts';
import { isDirectoryInside } from '../disk/inside-store.ts';
import type { KnownManifest } from '../records/model-records.ts';
import type { StoreIndex } from '../store-index.ts';
import type { GitIds } from './complete-git-ids.ts';
import { hashModel } from './hash-model.ts';
import { type ScannedFile, scanDirectory } from './scan-directory.ts';

/** Makes the manifests of registered models without one: the Python Skulk registered them, or a user put them there. */
export interface ModelHasher {
  /** Hashes a model. Concurrent calls share the work. Settles when the manifest is written. Throws INTEGRITY if a file is missing. */
  hash(entry: RegistryEntry): Promise<void>;
  /** Like `hash`, for callers that do not wait: a failure becomes a warning. */
  hashLater(entry: RegistryEntry): void;
  isHashing(modelId: ModelId): boolean;
  /**
   * The manifest of a model, which is hashed first if necessary; undefined if the model was deleted in the meantime. Throws
   * MODEL_NOT_FOUND, INTEGRITY.
   */
  knownManifest(modelId: ModelId, options: WorkOptions): Promise<KnownManifest | undefined>;
  /** Hashes every model without a manifest, and adds missing git ids, one model after the other. Returns at once. */
  hashAll(): void;
  /** Settles when nothing is being hashed. */
  settled(): Promise<void>;
}

interface Hashing {
  readonly work: Promise<void>;
  readonly listeners: Set<OnBytes>;
}

/** @param signal aborts all work */
export function createModelHasher(
  index: StoreIndex,
  world: World,
  { signal, gitIds }: { readonly signal: AbortSignal; readonly gitIds: GitIds },
): ModelHasher {
  const { layout, records, registry } = index;
  const running = new Map<ModelId, Hashing>();
  const start = (entry: RegistryEntry): Hashing => {
    const modelId = entry.model_id;
    const known = running.get(modelId);
    if (known !== undefined) return known;
    const listeners = new Set<OnBytes>();
    const onBytes: OnBytes = (done, total) => {
      for (const listener of listeners) listener(done, total);
    };
    const work = makeManifestOf(entry, index, world, { signal, onBytes });
    const started = { work, listeners };
    running.set(modelId, started);
    work.then(
      () => running.delete(modelId),
      () => running.delete(modelId),
    );
    return started;
  };
  const warn = ({ model_id }: RegistryEntry, error: unknown): void => {
    if (world.signal.aborted) return;
    world.emit({
      type: 'warning',
      message: describeFailure(`cannot hash ${model_id}`, error),
      hint: 'nodes cannot stage it until this is fixed',
    });
  };
  const hashAll = async (): Promise<void> => {
    for (const entry of (await registry()).entries.values()) {
      if (signal.aborted) return;
      if (!(await isDirectoryInside(layout.root, entry.store_path))) continue;
      const known = await records.read(entry.model_id).catch(() => undefined);
      if (known === undefined) await start(entry).work.catch((error: unknown) => warn(entry, error));
      // Requests for the model, and `verify`, report damaged files.
      else await gitIds.complete(entry.model_id).catch(() => undefined);
    }
  };
  return {
    hash: (entry) => start(entry).work,
    hashLater: (entry) => void start(entry).work.catch((error: unknown) => warn(entry, error)),
    isHashing: (modelId) => running.has(modelId),
    knownManifest: async (modelId, { signal: caller, onBytes }) => {
      const known = await records.read(modelId);
      if (known !== undefined) return known;
      const { work, listeners } = start(await index.entryOf(modelId));
      if (onBytes !== undefined) listeners.add(onBytes);
      await Promise.race([work, rejectOnAbort(caller)]).finally(() => onBytes !== undefined && listeners.delete(onBytes));
      return records.read(modelId);
    },
    hashAll: () =>
      void hashAll().catch((error: unknown) => world.emit({ type: 'warning', message: describeFailure('cannot hash models', error) })),
    settled: async () => void (await Promise.allSettled([...running.values()].map(({ work }) => work))),
  };
}

async function makeManifestOf(
  entry: RegistryEntry,
  { layout, records, registry, writer }: StoreIndex,
  world: World,
  options: WorkOptions,
): Promise<void> {
  const modelId = entry.model_id;
  const hashed = await hashModel(await registeredFiles(entry, layout.root), options);
  const commit = (await registry()).commits.get(modelId) ?? null;
  const manifest = makeManifest(modelId, hashed.files, { source: 'adopted', commit, createdAt: world.now() });
  await writer.write(async () => {
    const now = (await registry()).entries.get(modelId);
    await writer.assertHeld();
    // The model was replaced in the meantime, and has its manifest from then.
    if (now?.store_path === entry.store_path && (await records.read(modelId)) === undefined)
      await records.write(manifest, { seen: hashed.seen });
  });
}

/** The registered files; unregistered ones belong to a user. Throws INTEGRITY if one is missing. */
async function registeredFiles({ model_id, store_path, files: names }: RegistryEntry, root: string): Promise<readonly ScannedFile[]> {
  const { files: found } = await scanDirectory(join(root, store_path));
  const named = new Set(names);
  const files = named.size === 0 ? found : found.filter(({ path }) => named.has(path));
  const missing = names.find((path) => !files.some((file) => file.path === path));
  if (missing === undefined) return files;
  throw new SkulkError('INTEGRITY', `${quote(missing)} of ${model_id} is missing from the disk`, {
    hint: 'add the model again with `skulk add --force`',
  });
}
