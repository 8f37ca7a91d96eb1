import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { checkDirectory } from '../config/check-paths.ts';
import type { Settings } from '../config/settings.ts';
import { isDiskFull, isSystemError, SkulkError } from '../kernel/errors.ts';
import { describeFailure } from '../kernel/explain-system-error.ts';
import { isSystemFile } from '../kernel/files/system-files.ts';
import { type KnownEntry, readKnown, remember } from '../kernel/machine/known-stores.ts';
import { plural } from '../kernel/units.ts';
import { decode } from '../protocol/decode.ts';
import { servedStore } from '../protocol/machine.ts';
import { whyForeignToStore } from '../store/disk/store-directory.ts';
import { ensureStoreIdentity, readStoreIdentity, type StoreIdentity } from '../store/disk/store-identity.ts';
import { storeLayout } from '../store/layout.ts';
import type { LocalStore } from '../store/local-store.ts';
import type { Deps } from './deps.ts';

/** What this machine remembers about a directory that it served or wrote as a store. */
export interface ServedStore {
  readonly id: string;
  /** The last known number of models; null if unknown. */
  readonly models: number | null;
}

const section = 'served';

/** The remembered data of a path, however it is spelled. */
export async function servedFrom({ config }: Pick<Deps, 'config'>, root: string): Promise<ServedStore | undefined> {
  const known = await readKnown(config.skulkHome, section);
  return parse(known.get(root)) ?? parse(known.get(await realpath(root).catch(() => root)));
}

function parse(entry: KnownEntry | undefined): ServedStore | undefined {
  const known = decode(servedStore, entry);
  return known && { id: known.store_id, models: known.models };
}

/**
 * Checks that the store's directory can be used. If it cannot be reached and a store was served from there, its disk is probably not mounted;
 * otherwise the configuration is wrong.
 * @param name its name in a message about the configuration
 * @throws SkulkError CONFIG, STORE_UNREACHABLE
 */
export async function checkStoreDirectory(
  deps: Pick<Deps, 'config'>,
  { name = 'store_path', mayBeMissing }: { readonly name?: string; readonly mayBeMissing: boolean },
): Promise<void> {
  const root = deps.config.settings.storePath.value;
  try {
    await checkDirectory(root, name, { mayBeMissing });
  } catch (error) {
    if (await isMissing(root)) await requireServedStore(deps, root);
    throw error;
  }
}

const isMissing = (path: string): Promise<boolean> =>
  stat(path).then(
    () => false,
    (error: unknown) => isSystemError(error, 'ENOENT', 'ENOTDIR'),
  );

/**
 * Rejects a path from which this machine served another store than the one that is there now. Most likely a disk is not mounted, and the
 * directory is not the store.
 * @throws SkulkError STORE_UNREACHABLE
 */
export async function requireServedStore(deps: Pick<Deps, 'config'>, root: string): Promise<void> {
  const known = await servedFrom(deps, root);
  if (known === undefined) return;
  const present = await readStoreIdentity(storeLayout(root));
  // The next writer repairs a damaged identity in a store's own directory.
  if (present === 'damaged' || present?.id === known.id) return;
  const models = known.models === null || known.models === 0 ? '' : ` with ${plural(known.models, 'model')}`;
  const was = `the store ${known.id}${models}`;
  if (present !== undefined)
    throw new SkulkError(
      'STORE_UNREACHABLE',
      `${root} holds the store ${present.id}, but ${was} was served from there: the wrong disk may be mounted`,
      {
        hint: 'mount the right disk; to use this store from now on: skulk serve --new-store',
      },
    );
  // A directory at a missing mount point would hide the disk, or macOS would mount the disk under another name.
  const isOwn = deps.config.settings.storePath.origin.from === 'default';
  const instead =
    !isOwn && (await isMissing(root))
      ? 'for a new store, set store_path to another directory'
      : 'to create a new store there: skulk serve --new-store';
  throw new SkulkError('STORE_UNREACHABLE', `${root} ${await whatIsThere(root)}, but held ${was}: its disk may not be mounted`, {
    hint: `mount the disk and run the command again; ${instead}`,
  });
}

async function whatIsThere(root: string): Promise<string> {
  const names = await readdir(root).catch(() => undefined);
  if (names === undefined) return (await lstat(root).catch(() => undefined))?.isSymbolicLink() ? 'is a broken link' : 'is missing';
  return names.every(isSystemFile) ? 'is empty' : 'has no store in it';
}

/**
 * Creates a store's identity, and remembers that this machine writes it at that path. The caller holds its lock.
 * @returns undefined if a full disk has no space for it
 */
export async function identifyStore(deps: Deps, root: string): Promise<StoreIdentity | undefined> {
  const { world } = deps;
  const known = await servedFrom(deps, root);
  try {
    const identity = await ensureStoreIdentity(storeLayout(root), { now: world.now(), knownId: known?.id });
    if (known?.id !== identity.id) await rememberStore(deps, root, { id: identity.id, models: null });
    return identity;
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    // Models can still be deleted to free space.
    world.emit({ type: 'warning', message: `no space left in ${root} for the id of the store` });
    return undefined;
  }
}

/** Remembers a store by its path. A failure is only reported, because the store is valid anyway. */
async function rememberStore({ config, world }: Deps, root: string, { id, models }: ServedStore): Promise<void> {
  const entry = { store_id: id, models, seen_at: world.now().toISOString() };
  try {
    for (const key of new Set([root, await realpath(root)]))
      await remember(config.skulkHome, { section, key, entry, now: world.now(), emit: world.emit });
  } catch (error) {
    world.emit({ type: 'note', message: describeFailure(`cannot record in ${config.skulkHome} which store is in ${root}`, error) });
  }
}

/** Remembers a store's current number of models, for the message when its disk is not mounted. */
export async function rememberModels(deps: Deps, store: LocalStore): Promise<void> {
  const known = await servedFrom(deps, store.root);
  const present = await readStoreIdentity(storeLayout(store.root));
  if (known === undefined || present === undefined || present === 'damaged' || present.id !== known.id) return;
  const { length } = await store.listModels();
  if (length !== known.models) await rememberStore(deps, store.root, { id: known.id, models: length });
}

/**
 * Rejects a directory that contains a user's files and is not a store.
 * @throws SkulkError CONFIG with the names of its files
 */
export async function refuseForeignDirectory({ storePath }: Settings): Promise<void> {
  const { value: root, origin } = storePath;
  const why = await whyForeignToStore(root, { mayHoldModels: origin.from === 'default' });
  if (why === undefined) return;
  throw new SkulkError('CONFIG', `store_path ${root} ${why}`, {
    hint: 'use an empty directory; to use this one with its content as the store: skulk serve --adopt-directory',
  });
}
