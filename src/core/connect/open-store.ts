import { stat } from 'node:fs/promises';
import type { FindByName } from '../client/http/lookup-of-store.ts';
import type { TokenGuard } from '../client/http/token-guard.ts';
import type { StoreClient } from '../client/store-client.ts';
import { checkDirectory } from '../config/check-paths.ts';
import type { Policy } from '../config/policy.ts';
import type { Fleet } from '../fleet/contract.ts';
import type { Downloads } from '../jobs/contract.ts';
import type { DownloadQueue } from '../jobs/download-queue.ts';
import { SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { acquireLock, describeLockHolder, type HeldLock, isHeld, type LockHolder, readLock, tryLock } from '../kernel/process/lock.ts';
import { namespaceOf } from '../kernel/process/process-identity.ts';
import type { World } from '../kernel/world.ts';
import { stagingLayout } from '../staging/layout.ts';
import type { HostUploads, LocalStore, Store, Uploads } from '../store/contract.ts';
import { readStoreIdentity } from '../store/disk/store-identity.ts';
import { watchPresence } from '../store/disk/store-presence.ts';
import { type DiskStoreOptions, openDiskStore } from '../store/disk-store.ts';
import { storeLayout } from '../store/layout.ts';
import type { WhenUnused } from '../store/store-context.ts';
import type { UploadLimits } from '../store/uploads/uploads.ts';
import type { Deps } from './deps.ts';
import { guardToken } from './guard-token.ts';
import { remoteUrl } from './remote-url.ts';
import { identifyStore, refuseForeignDirectory, rememberModels, requireServedStore, servedFrom } from './served-stores.ts';
import { urlFromHere } from './url-from-here.ts';

/** A store that an operation may use until it is done. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  /** Its downloads from Hugging Face. */
  readonly downloads: () => Promise<Downloads>;
  /** Its nodes and what is ordered of them. */
  readonly fleet: () => Promise<Fleet>;
  /** How models get there from this machine, when it is spoken to over HTTP. */
  readonly uploads?: Uploads;
  /** What changes in it, as it changes, when it is spoken to over HTTP. */
  readonly news?: StoreClient['news'];
  /** Its tokens and its policy, when it is spoken to over HTTP. */
  readonly access?: StoreClient['access'];
  /** What Hugging Face has of a model, when it is spoken to over HTTP. */
  readonly offer?: StoreClient['offer'];
  /** Where the canonical copies lie, when this machine is the store host. */
  readonly localRoot?: string;
  /** Where the store answers, when it is spoken to over HTTP. */
  readonly url?: string;
  /** Tries whether it accepts connections within so many milliseconds, when it is spoken to over HTTP. */
  readonly probe?: StoreClient['probe'];
}

/**
 * Finds the store, once for every verb: the server's own inside a server; the one that a flag or the environment names;
 * on the host the running server, else the disk; elsewhere the configured host.
 * @param mayCreate whether this machine's own default store may be made when there is none at all
 * @param connections how many requests there may be at one time
 * @param withKey whether the running server of this machine is shown the key of this machine; a server itself shows it to nobody
 * @throws SkulkError STORE_NOT_CONFIGURED, STORE_UNREACHABLE when its disk is not there, CONFIG when the configured directory is missing
 * or is somebody's own
 */
export async function openStore(
  deps: Deps,
  {
    mayCreate = false,
    connections,
    withKey = true,
  }: { readonly mayCreate?: boolean; readonly connections?: number | undefined; readonly withKey?: boolean } = {},
): Promise<OpenedStore> {
  const { config, store } = deps;
  const { settings, isStoreHost, isStoreNamed } = config;
  if (store !== undefined)
    return {
      store,
      downloads: async () => deps.downloads ?? noDownloads(),
      fleet: async () => deps.fleet ?? openLonelyFleet(deps, store as LocalStore),
      [Symbol.asyncDispose]: async () => {},
    };
  if (!settings.enabled.value)
    throw new SkulkError('STORE_NOT_CONFIGURED', 'the store is switched off (model_store.enabled is false)', {
      hint: `set it to true in ${config.file ?? 'the configuration'}`,
    });
  const url = remoteUrl(config);
  if (url !== undefined) return openRemote(deps, url, { connections, withKey });
  if (!isStoreHost) throw notConfigured();
  const root = settings.storePath.value;
  const holder = await readLock(storeLayout(root).lock);
  if (holder?.url !== undefined)
    return openRemote(deps, urlFromHere(holder) ?? outOfReach(root, holder), { localRoot: root, connections, withKey });
  const exists = await isThere(root);
  if (!exists && isStoreNamed) await checkDirectory(root, 'store_path', { mayBeMissing: false });
  // Of a default store that never had a model nothing is missing, and its directory may have been removed on purpose.
  if (isStoreNamed || mayCreate || (await servedFrom(deps, root))?.models !== 0) await requireServedStore(deps, root);
  if (exists) await refuseForeignDirectory(settings);
  if (isStoreNamed) return openDisk(deps, root);
  const own = exists ? await openDisk(deps, root) : undefined;
  // Who made the directory by hand means it.
  if (own !== undefined && (!(await isThere(storeLayout(root).lock)) || (await own.store.health()).models > 0)) return own;
  // A store without a model may come of a `skulk serve` that was meant to be a node, or of one before another directory was chosen.
  // Whoever brings a model means a store of this very machine.
  const nearby = own !== undefined && mayCreate ? await findOwnServer(deps) : ((await findOnLan(deps)) ?? (await findOnThisMachine(deps)));
  if (nearby === undefined && own !== undefined) return own;
  await own?.[Symbol.asyncDispose]();
  if (nearby !== undefined) return nearby;
  if (!mayCreate) throw notConfigured();
  await makeDirectory(root);
  return openDisk(deps, root);
}

function outOfReach(root: string, holder: LockHolder): never {
  throw new SkulkError(
    'STORE_UNREACHABLE',
    `the store ${root} is served by ${describeLockHolder(holder)}, which answers at ${holder.url} only inside its own network`,
    {
      hint: 'run the command there, or set SKULK_STORE to an address that reaches it, e.g. http://THAT-MACHINE:58080; if it was killed, try again in 30 seconds',
    },
  );
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** A way to a store whose name the name service does not know. */
export const findByName =
  (deps: Deps): FindByName =>
  async (name) =>
    (await import('./discover.ts')).findStoreCalled(deps, name);

async function openRemote(
  deps: Deps,
  url: string,
  { localRoot, connections, withKey = true }: { localRoot?: string; connections?: number | undefined; withKey?: boolean } = {},
): Promise<OpenedStore> {
  const { world, config } = deps;
  const { createStoreClient } = await import('../client/store-client.ts');
  const { token, guard } = await credentialFor(deps, url, { withKey, isOwnServer: localRoot !== undefined });
  const seconds = Number(world.env['SKULK_STALL_TIMEOUT']);
  const store = createStoreClient({
    url,
    signal: world.signal,
    userAgent: `skulk/${world.version}`,
    nodeId: config.nodeId,
    findByName: findByName(deps),
    ...(token !== undefined && { token, guard }),
    ...(seconds > 0 && { stallTimeoutMs: seconds * 1000 }),
    ...(connections !== undefined && { connections }),
  });
  return {
    store,
    url,
    downloads: async () => store.downloads,
    fleet: async () => store.fleet,
    uploads: store.uploads,
    probe: store.probe,
    news: store.news,
    access: store.access,
    offer: store.offer,
    ...(localRoot !== undefined && { localRoot }),
    [Symbol.asyncDispose]: async () => store.close(),
  };
}

/**
 * What is shown to a store: a token that a flag or the environment gives, else the key of this machine for its own server, else the token
 * of the configuration. The key needs no guard, as only the server that wrote itself down gets it.
 */
async function credentialFor(
  { config }: Deps,
  url: string,
  { withKey, isOwnServer }: { readonly withKey: boolean; readonly isOwnServer: boolean },
): Promise<{ readonly token: string | undefined; readonly guard: TokenGuard }> {
  const { value: token, origin } = config.settings.token;
  const guard = guardToken(config, url, { isOwnServer });
  if (!withKey) return { token, guard };
  const { keyFor } = await import('../access/serve-record.ts');
  const key = await keyFor(config.skulkHome, url);
  if (key === undefined) return { token, guard };
  // Nor does that server need one for a token of this machine.
  const isSaid = token !== undefined && (origin.from === 'flag' || origin.from === 'environment');
  return { token: isSaid ? token : key, guard: {} };
}

async function openDisk(deps: Deps, root: string): Promise<OpenedStore> {
  const { world, config } = deps;
  let queue: Promise<DownloadQueue> | undefined;
  let isWritten = false;
  const identity = await readStoreIdentity(storeLayout(root));
  const store = openDiskStore({
    root,
    world,
    nodeId: config.nodeId,
    cardsPath: config.settings.cardsPath.value,
    whenUnused: whenUnusedIn(root, world),
    identify: async () => {
      await identifyStore(deps, root);
      isWritten = true;
    },
    presence: identity === undefined || identity === 'damaged' ? undefined : await watchPresence(root, identity),
  });
  const downloads = (): Promise<DownloadQueue> => {
    queue ??= import('./host-downloads.ts').then(({ createHostDownloads }) => createHostDownloads(deps, store));
    return queue;
  };
  const close = async (): Promise<void> => {
    await (await queue)?.close();
    if (isWritten) await rememberModels(deps, store).catch(() => undefined);
    await store.close();
  };
  const fleet = (): Promise<Fleet> => openLonelyFleet(deps, store);
  return { store, downloads, fleet, localRoot: root, [Symbol.asyncDispose]: close };
}

/** What keeps files where they lie while a process of this machine uses them in place. */
const whenUnusedIn =
  (root: string, { now, signal }: World): WhenUnused =>
  async (modelId, work) => {
    const { whenUnused } = await import('../staging/leases/when-unused.ts');
    return whenUnused(stagingLayout(root), { modelId, now: now(), signal }, work);
  };

/** The fleet of a store that no server speaks for: what is ordered is heard when there is one again. */
async function openLonelyFleet({ world }: Deps, store: LocalStore): Promise<Fleet> {
  const { openFleet } = await import('../fleet/fleet.ts');
  const { fleet, lock } = storeLayout(store.root);
  const { now, emit, signal } = world;
  const exclusively = async <T>(work: () => Promise<T>): Promise<T> => {
    await using _ = await acquireLock(lock, { purpose: 'an order', timeoutMs: 10_000, signal });
    return await work();
  };
  return openFleet({ directory: fleet, store, now, emit, exclusively });
}

function noDownloads(): never {
  throw new Error('this server has a store without downloads');
}

/** The store that this machine itself announces, as it serves another directory than its settings name. */
async function findOwnServer(deps: Deps): Promise<OpenedStore | undefined> {
  const { nodeId } = deps.config;
  if (nodeId === undefined) return undefined;
  const { findOwnStore } = await import('./discover.ts');
  const url = await findOwnStore(deps, nodeId);
  return url === undefined ? undefined : openRemote(deps, url);
}

/** The store that announces itself, if there is just one. */
async function findOnLan(deps: Deps): Promise<OpenedStore | undefined> {
  const { findOnlyStore } = await import('./discover.ts');
  const url = await findOnlyStore(deps);
  return url === undefined ? undefined : openRemote(deps, url);
}

/** A server that was started with other settings than ours, at the usual port of this machine. */
async function findOnThisMachine(deps: Deps): Promise<OpenedStore | undefined> {
  const { mayLookAround } = await import('./discover.ts');
  if (!mayLookAround(deps)) return undefined;
  const url = `http://127.0.0.1:${deps.config.settings.storePort.value}`;
  const { probeConnection } = await import('../client/http/probe-connection.ts');
  if ((await probeConnection(url, 250)) !== 'connected') return undefined;
  const opened = await openRemote(deps, url);
  const answers = await opened.store.health().then(
    () => true,
    () => false,
  );
  return answers ? opened : undefined;
}

const notConfigured = (): SkulkError =>
  new SkulkError('STORE_NOT_CONFIGURED', 'no store is configured, and none answers on the LAN or on this machine', {
    hint: 'run `skulk serve` on the machine with the large disk, and here set SKULK_STORE=http://THAT-MACHINE:58080 or write `skulk config init`',
  });

/** A command holds the lock for a moment only, so it is waited for; another server is not. */
async function takeLock(path: string, { signal, emit }: World): Promise<HeldLock | LockHolder> {
  const purpose = 'skulk serve';
  try {
    return await acquireLock(path, {
      purpose,
      timeoutMs: 10_000,
      signal,
      isHopeless: (holder) => holder.purpose === purpose,
      onWait: (holder) => emit({ type: 'waiting', message: `waiting for ${describeLockHolder(holder)}, which writes to the store` }),
    });
  } catch (error) {
    if (!(error instanceof SkulkError) || error.code !== 'LOCKED') throw error;
    return tryLock(path, purpose);
  }
}

/**
 * Opens this machine's canonical store for a server, which stays its only writer.
 * @throws SkulkError LOCKED when another process has it, CONFIG when the directory cannot be used, STORE_UNREACHABLE when the store that was
 * served from there is not there
 */
export async function openHostStore(
  deps: Deps,
  {
    isBusy,
    advertised,
    policy,
    newStore = false,
    adoptDirectory = false,
    onPresence,
  }: Required<Pick<DiskStoreOptions, 'isBusy' | 'advertised'>> & {
    /** The policy of the store as it is now. */
    readonly policy: () => Promise<Policy>;
    /** Serve what lies there now, whatever was served from there before. */
    readonly newStore?: boolean | undefined;
    /** Take a directory that is not a store with what lies in it. */
    readonly adoptDirectory?: boolean | undefined;
    /** Told when the store's disk goes away while it is served, and when it is back. */
    readonly onPresence: (isAway: boolean) => void;
  },
): Promise<{
  readonly store: LocalStore;
  readonly uploads: HostUploads;
  /** Says where the server answers, here and elsewhere. */
  readonly setUrl: (url: string, outside: string) => Promise<void>;
  readonly held: Pick<HeldLock, 'assertHeld' | 'lost'>;
}> {
  const { world, config } = deps;
  const { storePath } = config.settings;
  const root = storePath.value;
  await checkDirectory(root, 'store_path', { mayBeMissing: storePath.origin.from === 'default' });
  if (!newStore) await requireServedStore(deps, root);
  if (!adoptDirectory) await refuseForeignDirectory(config.settings);
  await makeDirectory(root);
  const held = await takeLock(storeLayout(root).lock, world);
  if (!isHeld(held)) {
    const url = urlFromHere(held) ?? held.outside_url ?? held.url;
    const where = url === undefined ? '' : ` at ${url}`;
    throw new SkulkError('LOCKED', `the store ${root} is already held by ${describeLockHolder(held)}${where}`, {
      hint: 'one process serves a store; stop that one first, or serve another --store-path',
    });
  }
  const identity = await identifyStore(deps, root);
  const presence = await watchPresence(root, { id: identity?.id });
  presence.onChange(onPresence);
  const store = openDiskStore({
    root,
    world,
    nodeId: config.nodeId,
    cardsPath: config.settings.cardsPath.value,
    held,
    presence,
    isBusy,
    advertised,
    whenUnused: whenUnusedIn(root, world),
  });
  const { createUploads } = await import('../store/uploads/uploads.ts');
  const network = namespaceOf('net');
  const setUrl = (url: string, outside: string): Promise<void> =>
    held.update({ url, outside_url: outside, ...(network !== undefined && { network }) });
  return { store, uploads: createUploads(store, world, uploadLimits(policy)), setUrl, held };
}

const uploadLimits = (policy: () => Promise<Policy>) => async (): Promise<UploadLimits> => {
  const { limits } = await policy();
  return { open: limits.openUploads, staleAfterMs: limits.uploadIdleDays * 24 * 3600_000 };
};
