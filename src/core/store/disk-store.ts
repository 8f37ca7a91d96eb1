import { join } from 'node:path';
import { type FoundCard, readCard } from '../catalog/read-card.ts';
import { planRemoval } from '../catalog/selection/plan-removal.ts';
import { isProjector, lacksProjector as withoutProjector } from '../catalog/selection/projectors.ts';
import { SkulkError } from '../kernel/errors.ts';
import { coalesce } from '../kernel/flow/coalesce.ts';
import { formatRef, type ModelId } from '../kernel/model-id.ts';
import type { HeldLock } from '../kernel/process/lock.ts';
import type { World } from '../kernel/world.ts';
import type { StoreHealth } from '../protocol/health.ts';
import type { RegistryEntry } from '../protocol/models/entries.ts';
import { diskRoom } from '../transfer/disk-room.ts';
import { deleteModel } from './changes/delete-model.ts';
import { deleteQuantization, planQuantizationRemoval } from './changes/delete-quantization.ts';
import { guardStore } from './disk/guard-store.ts';
import { isDirectoryInside } from './disk/inside-store.ts';
import { readStoreIdentity } from './disk/store-identity.ts';
import type { StorePresence } from './disk/store-presence.ts';
import { createHeaderReader } from './facts/known-gguf-headers.ts';
import { createProblemReader } from './facts/known-problems.ts';
import { adoptModel, publishModel } from './ingest/adopt-model.ts';
import { createGitIds, identifyModel } from './ingest/complete-git-ids.ts';
import { extendModel } from './ingest/extend-model.ts';
import { findPlace } from './ingest/find-place.ts';
import { createModelHasher } from './ingest/model-hasher.ts';
import type { LocalStore, QuantizationRemoval } from './local-store.ts';
import { requirePlace } from './own-model.ts';
import { answerManifest } from './read/answer-manifest.ts';
import { createFileOpener } from './read/file-opener.ts';
import { readPieceOf } from './read/read-piece.ts';
import { createDescriber } from './records/describe-models.ts';
import type { StoreContext, WhenUnused } from './store-context.ts';
import { openStoreIndex, type StoreIndex } from './store-index.ts';
import { verifyStore } from './verify-store.ts';

/** Options for opening a store on disk. */
export interface DiskStoreOptions {
  readonly root: string;
  readonly world: World;
  readonly nodeId: string | undefined;
  /** The directory of model cards, in addition to those beside the manifests. */
  readonly cardsPath: string | undefined;
  /**
   * The work on a model that prevents its removal, as a participle; undefined if there is none.
   * @param files the files of the quantization to be removed
   */
  readonly isBusy?: (modelId: ModelId, files?: readonly string[]) => string | undefined;
  readonly whenUnused?: WhenUnused;
  /** Whether the repo of a model ships a projector, if the registry does not know; without it, no repo does. */
  readonly askForProjector?: (entry: RegistryEntry, commit: string | undefined) => Promise<boolean>;
  /** The store's lock, if this process holds it during its whole life. Otherwise it is taken for each change. */
  readonly held?: HeldLock;
  /** Creates the store's identity; called under the store's lock before the first change. */
  readonly identify?: () => Promise<void>;
  /** Checks whether the disk is there; without it, nothing is checked. */
  readonly presence?: StorePresence | undefined;
  /** The address of this store's server; null while it does not listen. */
  readonly advertised?: () => StoreHealth['advertised'];
  /** URL of the store that it takes missing models from. */
  readonly upstream?: string | undefined;
}

/** Opens the canonical store on this machine's disk. Nothing is written before the first change. */
export function openDiskStore(options: DiskStoreOptions): LocalStore {
  const { root, world, held, isBusy = () => undefined, identify = async () => {}, presence, askForProjector } = options;
  const index = openStoreIndex({ root, world, held, identify, presence });
  const closing = new AbortController();
  const signal = AbortSignal.any([world.signal, closing.signal]);
  const gitIds = createGitIds(index, signal);
  const hasher = createModelHasher(index, world, { signal, gitIds });
  const open = createFileOpener(index, { hasher, isServer: held !== undefined, signal });
  const cards = createCards(options, index);
  const problemsOf = createProblemReader(index.layout, signal);
  const describe = createDescriber(index.layout, cards.directories, { readCardOf: cards.readOf, records: index.records, problemsOf });
  const { layout, records, writer, registry, list } = index;
  const { whenUnused = (_, work) => work() } = options;
  const context: StoreContext = { layout, records, writer, registry, world, whenUnused, knownManifest: hasher.knownManifest };
  const readHeader = createHeaderReader(index.layout);
  const removalListeners: ((modelId: ModelId, files?: ReadonlySet<string>) => void)[] = [];
  const notifyRemoved = (modelId: ModelId, files?: ReadonlySet<string>): void => {
    for (const listener of removalListeners) listener(modelId, files);
  };
  const lacksProjector = async (entry: RegistryEntry): Promise<boolean> => {
    const { files, repo_has_projector: has } = entry;
    if (has !== null || !files.some((path) => path.endsWith('.gguf')) || files.some(isProjector)) return withoutProjector(files, has);
    return askForProjector !== undefined && (await askForProjector(entry, (await registry()).commits.get(entry.model_id)));
  };
  const refuseBusy = (modelId: ModelId, part?: Pick<QuantizationRemoval, 'selector' | 'files'>): void => {
    const busy = isBusy(modelId, part?.files);
    const name = formatRef({ modelId, selector: part?.selector });
    const others = part === undefined ? '' : `, or one download of \`skulk downloads ${modelId}\``;
    if (busy !== undefined)
      throw new SkulkError('CONFLICT', `${name} is being ${busy}`, { hint: `stop it first: skulk cancel ${modelId}${others}` });
    if (hasher.isHashing(modelId))
      throw new SkulkError('CONFLICT', `${modelId} is being hashed`, { hint: 'wait a moment, then delete it' });
  };
  const store: LocalStore = {
    location: root,
    root,
    requireDisk: async () => {},
    health: () => healthOf(options, index),
    listModels: async () => (await list()).present,
    listDescribed: coalesce(async () => describe((await list()).present)),
    listLost: async () => (await list()).lost,
    has: async (modelId, selector) => {
      const entry = (await registry()).entries.get(modelId);
      if (entry === undefined || !(await isDirectoryInside(root, entry.store_path))) return false;
      return selector === undefined || hasQuantization(entry.files, selector);
    },
    lacksProjector,
    listFiles: (modelId) => listFilesOf(modelId, index, lacksProjector),
    openFile: open,
    manifest: (modelId, asked = {}) => answerManifest(modelId, asked, { index, hasher, cardOf: cards.cardOf, problemsOf }),
    readPiece: (request, caller) => readPieceOf(request, caller, open),
    requirePlace: (modelId) => requirePlace(root, modelId, context),
    findPlace: (request) => findPlace(request, context),
    adopt: (request, work) => adoptModel(request, work, context),
    publish: (request, work) => publishModel(request, work, context),
    extend: (request) => extendModel(request, context),
    remove: async (modelId, { force } = { force: false }) => {
      refuseBusy(modelId);
      return deleteModel(modelId, { force, onRemoved: () => notifyRemoved(modelId) }, context);
    },
    planRemoval: (modelId, selector) => planQuantizationRemoval(modelId, selector, context),
    removeQuantization: async (modelId, removal) => {
      refuseBusy(modelId, removal);
      return deleteQuantization(modelId, { ...removal, onRemoved: (files) => notifyRemoved(modelId, files) }, context);
    },
    verify: (request, work) => verifyStore(request, work, context),
    identify: (modelId) => identifyModel(modelId, { index, hasher, gitIds }),
    upstream: async (modelId) => records.upstream((await index.entryOf(modelId)).model_id),
    ggufHeader: async (modelId, path) => {
      const entry = await index.entryOf(modelId);
      return entry.files.includes(path) ? readHeader(entry, path) : undefined;
    },
    cardOf: cards.cardOf,
    hashInBackground: hasher.hashAll,
    onRemoved: (listener) => void removalListeners.push(listener),
    onChange: (listener) => index.onChange((isUnderWay) => void (isUnderWay || listener())),
    close: async () => {
      closing.abort(new SkulkError('INTERRUPTED', 'the store is being closed'));
      await hasher.settled();
      await writer[Symbol.asyncDispose]();
    },
  };
  return presence === undefined ? store : guardStore(store, presence);
}

/** Finds the model cards. Reports each problem of a card once. */
function createCards({ cardsPath, world }: DiskStoreOptions, { layout, registry }: StoreIndex) {
  const { root, manifests } = layout;
  const said = new Set<string>();
  const warn = (message: string): void => {
    if (!said.has(message)) world.emit({ type: 'warning', message });
    said.add(message);
  };
  const readOf = async (modelId: ModelId, entry: RegistryEntry | undefined): Promise<FoundCard | undefined> => {
    const isInside = entry !== undefined && (await isDirectoryInside(root, entry.store_path));
    const model = isInside ? { directory: join(root, entry.store_path), files: entry.files } : undefined;
    return readCard({ cardsPath, manifests, model }, modelId, warn);
  };
  return {
    directories: [...(cardsPath === undefined ? [] : [cardsPath]), manifests],
    readOf,
    cardOf: async (modelId: ModelId) => readOf(modelId, (await registry()).entries.get(modelId)),
  };
}

async function healthOf(
  { root, world, nodeId, held, advertised = () => null, upstream }: DiskStoreOptions,
  { registry, layout }: StoreIndex,
): Promise<StoreHealth> {
  const identity = await readStoreIdentity(layout).catch(() => undefined);
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
    upstream: upstream ?? null,
    replaces: (identity !== 'damaged' && identity?.promoted?.instead_of) || null,
  };
}

async function listFilesOf(
  modelId: ModelId,
  { entryOf, records }: StoreIndex,
  lacksProjector: LocalStore['lacksProjector'],
): Promise<readonly string[]> {
  const entry = await entryOf(modelId);
  if (await lacksProjector(entry))
    throw new SkulkError('MODEL_NOT_FOUND', `${modelId} is in the store without its vision projector`, {
      hint: 'add it again with its mmproj file',
    });
  return (await records.read(modelId))?.manifest.files.map(({ path }) => path) ?? entry.files;
}

/** The names alone show which quantizations there are. */
const hasQuantization = (paths: readonly string[], selector: string): boolean =>
  !(
    'problem' in
    planRemoval(
      paths.map((path) => ({ path, size: 0 })),
      selector,
    )
  );
