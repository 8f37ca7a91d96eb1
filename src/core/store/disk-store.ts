import { join } from 'node:path';
import type { Card } from '../catalog/card.ts';
import type { Companion } from '../catalog/companions.ts';
import { makeManifest } from '../catalog/manifest.ts';
import { readCard } from '../catalog/read-card.ts';
import { lacksProjector } from '../catalog/selection/projectors.ts';
import { SkulkError } from '../kernel/errors.ts';
import { quote } from '../kernel/files/relative-path.ts';
import { coalesce } from '../kernel/flow/coalesce.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { HeldLock } from '../kernel/process/lock.ts';
import type { World } from '../kernel/world.ts';
import { diskRoom } from '../transfer/disk-room.ts';
import type { LocalStore, OnBytes, OpenFile, RegistryEntry, StoreHealth, WorkOptions } from './contract.ts';
import { guardStore } from './disk/guard-store.ts';
import { findSharer, isDirectoryInside } from './disk/inside-store.ts';
import type { StorePresence } from './disk/store-presence.ts';
import { adoptModel, publishModel } from './ingest/adopt-model.ts';
import { hashModel } from './ingest/hash-model.ts';
import { scanDirectory } from './ingest/scan-directory.ts';
import { storeLayout } from './layout.ts';
import { filesOf, requireReplaceable } from './own-model.ts';
import { openModelFile } from './read/open-model-file.ts';
import { readPieceOf } from './read/read-piece.ts';
import { createDescriber } from './records/describe-models.ts';
import { createModelLister } from './records/list-models.ts';
import { createModelRecords, type KnownManifest } from './records/model-records.ts';
import { createRecent } from './records/recent.ts';
import { createFileRechecker } from './records/recheck-file.ts';
import type { Registry } from './records/registry.ts';
import { createRegistryReader } from './records/registry-reader.ts';
import { createStoreWriter } from './store-writer.ts';
import { verifyStore } from './verify-store.ts';

/** What a store on disk is opened with. */
export interface DiskStoreOptions {
  readonly root: string;
  readonly world: World;
  readonly nodeId: string | undefined;
  /** Where model cards lie, besides those beside the manifests. */
  readonly cardsPath: string | undefined;
  /** What is being done with a model that must not be removed meanwhile, as a participle; undefined for nothing. */
  readonly isBusy?: (modelId: ModelId) => string | undefined;
  /** Runs a change to a model's files while no process of this machine uses them where they lie. Throws CONFLICT. */
  readonly whenUnused?: WhenUnused;
  /** The store's lock, when this process holds it for as long as it lives; otherwise it is taken for each change. */
  readonly held?: HeldLock;
  /** Gives the store its identity; called under the store's lock before the first change. */
  readonly identify?: () => Promise<void>;
  /** Whether the disk is there; without it nobody asks. */
  readonly presence?: StorePresence | undefined;
  /** Where the server of this store can be reached; null while it does not listen. */
  readonly advertised?: () => StoreHealth['advertised'];
}

/** Opens the canonical store on this machine's disk. Nothing is written before the first change. */
export function openDiskStore({
  root,
  world,
  nodeId,
  cardsPath,
  held,
  isBusy = () => undefined,
  identify = async () => {},
  presence,
  whenUnused = (_, work) => work(),
  advertised = () => null,
}: DiskStoreOptions): LocalStore {
  const layout = storeLayout(root);
  const cards = [...(cardsPath === undefined ? [] : [cardsPath]), layout.manifests];
  const toldCards = new Set<string>();
  const cardOf = (modelId: ModelId): Promise<Card | undefined> =>
    readCard(cards, modelId, (message) => {
      if (!toldCards.has(message)) world.emit({ type: 'warning', message });
      toldCards.add(message);
    });
  const companionsOf = async (modelId: ModelId): Promise<readonly Companion[]> => (await cardOf(modelId))?.companions ?? [];
  const records = createModelRecords(layout);
  const readRegistry = createRegistryReader(layout, records, world);
  const recent = createRecent<ModelId, FoundModel>();
  const changeListeners = new Set<() => void>();
  const onChange = (isUnderWay: boolean): void => {
    recent.onChange(isUnderWay);
    if (!isUnderWay) for (const tell of changeListeners) tell();
  };
  presence?.onChange(() => {
    // What lies there may have been changed elsewhere meanwhile.
    onChange(true);
    onChange(false);
  });
  const writer = createStoreWriter(layout, records, world, { held, onChange, identify, presence });
  // A server first ends what a dead process began; if that fails, it serves what is whole, and the next change tries again.
  const recovered =
    held === undefined
      ? undefined
      : writer
          .write(async () => {})
          .catch((error: unknown) =>
            world.emit({ type: 'warning', message: `an interrupted change could not be ended: ${String(error)}` }),
          );
  const registry = async (): Promise<Registry> => {
    await recovered;
    return readRegistry();
  };
  const list = createModelLister(root, registry, writer.steps);
  const describe = createDescriber(layout, cards, cardOf);
  const listDescribed = coalesce(async () => describe((await list()).present));
  const removalListeners: ((modelId: ModelId) => void)[] = [];
  const closing = new AbortController();
  const signal = AbortSignal.any([world.signal, closing.signal]);
  const hashing = new Map<ModelId, Hashing>();
  const recheck = createFileRechecker(signal, (modelId, { path, sha256 }, now) =>
    writer.write(async () => {
      const known = await records.read(modelId);
      await writer.assertHeld();
      if (known?.byPath.get(path)?.sha256 === sha256) await records.writeSeen(known.manifest, { ...known.seen, [path]: now });
    }),
  );

  const entryOf = async (modelId: ModelId): Promise<RegistryEntry> => {
    for (;;) {
      await writer.settled(modelId);
      const steps = writer.steps();
      const entry = (await registry()).entries.get(modelId);
      if (entry !== undefined && (await isDirectoryInside(root, entry.store_path))) return entry;
      // While one directory takes the place of another there is none.
      if (writer.steps() === steps)
        throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is not in the store`, { hint: '`skulk registry` lists what is' });
    }
  };

  /** Hashes a model that has no manifest yet; whoever asks meanwhile joins. */
  const hash = (entry: RegistryEntry): Hashing => {
    const modelId = entry.model_id;
    const running = hashing.get(modelId);
    if (running !== undefined) return running;
    const listeners = new Set<OnBytes>();
    const work = (async (): Promise<void> => {
      const directory = join(root, entry.store_path);
      const { files: found } = await scanDirectory(directory);
      // What the registry does not name somebody else put there.
      const named = new Set(entry.files);
      const files = named.size === 0 ? found : found.filter(({ path }) => named.has(path));
      const missing = entry.files.find((path) => !files.some((file) => file.path === path));
      if (missing !== undefined)
        throw new SkulkError('INTEGRITY', `${quote(missing)} of ${modelId} is missing from the disk`, {
          hint: 'bring the model in again with `skulk add --force`',
        });
      const hashed = await hashModel(files, {
        signal,
        onBytes: (done, total) => {
          for (const listener of listeners) listener(done, total);
        },
      });
      const manifest = makeManifest(modelId, hashed.files, { source: 'adopted', createdAt: world.now() });
      await writer.write(async () => {
        const now = (await registry()).entries.get(modelId);
        await writer.assertHeld();
        // Whoever brought the model in again meanwhile knows better.
        if (now?.store_path === entry.store_path && (await records.read(modelId)) === undefined)
          await records.write(manifest, { seen: hashed.seen });
      });
    })();
    const started = { work, listeners };
    hashing.set(modelId, started);
    work.then(
      () => hashing.delete(modelId),
      () => hashing.delete(modelId),
    );
    return started;
  };

  const knownManifest = async (modelId: ModelId, { signal: caller, onBytes }: WorkOptions): Promise<KnownManifest | undefined> => {
    const known = await records.read(modelId);
    if (known !== undefined) return known;
    const { work, listeners } = hash(await entryOf(modelId));
    if (onBytes !== undefined) listeners.add(onBytes);
    await Promise.race([work, rejectOnAbort(caller)]).finally(() => onBytes !== undefined && listeners.delete(onBytes));
    return records.read(modelId);
  };

  const find = async (modelId: ModelId): Promise<FoundModel> => {
    const entry = await entryOf(modelId);
    return { entry, known: await records.read(modelId) };
  };
  const open = async (modelId: ModelId, path: string): Promise<OpenFile> => {
    // Of a model with thousands of files nothing but the file itself is looked at for each.
    const { entry, known } = await (held === undefined ? find(modelId) : recent.find(modelId, () => find(modelId)));
    if (known === undefined) {
      hash(entry).work.catch((error: unknown) => warnOfHashing(world, modelId, error));
      if (!entry.files.includes(path))
        throw new SkulkError('FILE_NOT_FOUND', `${modelId} has no such file`, { hint: '`skulk show` lists its files' });
    }
    try {
      return await openModelFile({ modelId, path, directory: join(root, entry.store_path), known }, recheck);
    } catch (error) {
      // The model may have been replaced between reading its manifest and opening its file; then any failure may come of it.
      await writer.settled(modelId);
      const now = await records.read(modelId);
      if (now?.manifest.digest === known?.manifest.digest || signal.aborted) throw error;
      return open(modelId, path);
    }
  };

  const context = { layout, world, writer, registry, knownManifest, records, whenUnused };
  const store: LocalStore = {
    location: root,
    root,
    requireDisk: async () => {},
    health: async () => {
      const { free, total, used } = await diskRoom(root);
      return {
        store_path: root,
        free_bytes: free,
        total_bytes: total,
        used_bytes: used,
        models: (await registry()).entries.size,
        version: world.version,
        node_id: nodeId ?? null,
        hostname: world.hostname,
        time: world.now().toISOString(),
        instance: held?.holder.token ?? null,
        advertised: advertised(),
      };
    },
    listModels: async () => (await list()).present,
    listDescribed,
    listLost: async () => (await list()).lost,
    has: async (modelId) => {
      const entry = (await registry()).entries.get(modelId);
      return entry !== undefined && (await isDirectoryInside(root, entry.store_path));
    },
    listFiles: async (modelId) => {
      const entry = await entryOf(modelId);
      if (lacksProjector(entry.files, entry.repo_has_projector)) {
        throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is in the store without its vision projector`, {
          hint: 'add it again with its mmproj file',
        });
      }
      return (await records.read(modelId))?.manifest.files.map(({ path }) => path) ?? entry.files;
    },
    openFile: (modelId, path) => open(modelId, path),
    manifest: async (modelId, { knownDigest } = {}) => {
      const entry = await entryOf(modelId);
      const known = await records.read(modelId);
      if (known === undefined) {
        const { work } = hash(entry);
        const failed = await Promise.race([work.then(() => undefined), tick().then(() => undefined)]).catch((error: unknown) => error);
        if (failed !== undefined) throw failed;
        work.catch(() => undefined);
        const now = await records.read(modelId);
        if (now === undefined) return { state: 'hashing', retryAfterMs: Math.min(5_000, Math.max(50, entry.total_bytes / 2e6)) };
        return { state: 'ready', manifest: now.manifest, companions: await companionsOf(modelId) };
      }
      const companions = await companionsOf(modelId);
      return known.manifest.digest === knownDigest
        ? { state: 'unchanged', companions }
        : { state: 'ready', manifest: known.manifest, companions };
    },
    readPiece: (request, caller) => readPieceOf(request, caller, open),
    requirePlace: (modelId) => requireReplaceable(root, modelId, context),
    adopt: (request, options) => adoptModel(request, options, context),
    publish: (request, options) => publishModel(request, options, context),
    remove: async (modelId, options) => {
      const busy = isBusy(modelId);
      if (busy !== undefined)
        throw new SkulkError('CONFLICT', `${modelId} is being ${busy}`, { hint: `stop that first: skulk cancel ${modelId}` });
      if (hashing.has(modelId)) throw new SkulkError('CONFLICT', `${modelId} is being hashed`, { hint: 'wait a moment, then delete it' });
      const before = (await registry()).entries.get(modelId);
      return writer.write(async () => {
        const { entries } = await registry();
        const entry = entries.get(modelId);
        // An earlier delete was cut off, e.g. by a full disk, and has just been ended.
        if (entry === undefined && before !== undefined) return { freedBytes: before.total_bytes };
        if (entry === undefined)
          throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is not in the store`, { hint: '`skulk registry` lists what is' });
        refuseSharedDirectory(entry, entries.values());
        const files = filesOf(entry, await records.read(modelId).catch(() => undefined));
        const work = (): Promise<void> => writer.carryOut({ op: 'remove', modelId, storePath: entry.store_path, files });
        await (options?.force === true ? work() : whenUnused(modelId, work));
        for (const tell of removalListeners) tell(modelId);
        return { freedBytes: entry.total_bytes };
      });
    },
    verify: (request, options) => verifyStore(request, options, context),
    upstream: async (modelId) => records.upstream((await entryOf(modelId)).model_id),
    cardOf,
    hashInBackground: () => {
      void (async () => {
        for (const entry of (await registry()).entries.values()) {
          if (signal.aborted) return;
          const known = await records.read(entry.model_id).catch(() => undefined);
          if (known === undefined && (await isDirectoryInside(root, entry.store_path)))
            await hash(entry).work.catch((error: unknown) => warnOfHashing(world, entry.model_id, error));
        }
      })().catch((error: unknown) => world.emit({ type: 'warning', message: `models could not be hashed: ${String(error)}` }));
    },
    onRemoved: (listener) => void removalListeners.push(listener),
    onChange: (listener) => {
      changeListeners.add(listener);
      return () => void changeListeners.delete(listener);
    },
    close: async () => {
      closing.abort(new SkulkError('INTERRUPTED', 'the store is being closed'));
      await Promise.allSettled([...hashing.values()].map(({ work }) => work));
      await writer[Symbol.asyncDispose]();
    },
  };
  return presence === undefined ? store : guardStore(store, presence);
}

/** See `DiskStoreOptions.whenUnused`. */
export type WhenUnused = <T>(modelId: ModelId, work: () => Promise<T>) => Promise<T>;

/** A model, as a request for one of its files needs it. */
interface FoundModel {
  readonly entry: RegistryEntry;
  readonly known: KnownManifest | undefined;
}

interface Hashing {
  readonly work: Promise<void>;
  readonly listeners: Set<OnBytes>;
}

function warnOfHashing(world: World, modelId: ModelId, error: unknown): void {
  if (world.signal.aborted) return;
  const { message } = error instanceof Error ? error : { message: String(error) };
  world.emit({
    type: 'warning',
    message: `${modelId} could not be hashed: ${message}`,
    hint: 'nodes cannot stage it until that is mended',
  });
}

/** Removing one of two models that share a directory would remove the other. */
function refuseSharedDirectory({ model_id, store_path }: RegistryEntry, entries: Iterable<RegistryEntry>): void {
  const sharer = findSharer(store_path, model_id, entries);
  if (sharer !== undefined)
    throw new SkulkError('CONFLICT', `${model_id} shares its directory with ${sharer.model_id}`, {
      hint: 'mend store_path in registry.json first',
    });
}

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

const rejectOnAbort = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
