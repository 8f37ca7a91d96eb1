import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatNames, listForeignNames, type OwnPlaces, whyProtected } from '../../kernel/files/foreign-directory.ts';
import { modelIdOfDirectory } from '../../kernel/model-id.ts';
import { storeLayout } from '../layout.ts';
import { parseRegistry } from '../records/registry.ts';

/**
 * Why a directory cannot be the store as it is, to follow its path in a message; undefined when it can: it is a store already, or
 * empty but for what systems leave, or missing. Taking over somebody's files would let others list, read and delete them.
 */
export async function whyNotStoreDirectory(path: string, places: OwnPlaces): Promise<string | undefined> {
  return (await whyProtected(path, places)) ?? (await whyForeignToStore(path));
}

/**
 * The same of the content alone.
 * @param mayHoldModels whether directories that are named as models are no obstacle: below SKULK_HOME nobody keeps anything else
 */
export async function whyForeignToStore(path: string, { mayHoldModels = false } = {}): Promise<string | undefined> {
  if (await hasStagedCopies(path)) return 'is a staging directory, not a store';
  if (await looksLikeStore(path)) return undefined;
  const foreign = await listForeignNames(path, async (name) => mayHoldModels && modelIdOfDirectory(name) !== undefined);
  return foreign.length === 0 ? undefined : `is not a store and not empty: it contains ${formatNames(foreign)}`;
}

/** Whether a directory is a store, of whichever machine: it has skulk's own directory, or a registry that can be read. */
export async function looksLikeStore(root: string): Promise<boolean> {
  return (await isDirectory(join(root, '.skulk', 'v1'))) || (await hasRegistry(root));
}

async function hasRegistry(root: string): Promise<boolean> {
  try {
    const value: unknown = JSON.parse(await readFile(storeLayout(root).registry, 'utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const { entries, raw } = await parseRegistry(value as Record<string, unknown>);
    // Somebody else's registry.json has none of our entries.
    return entries.size > 0 || Object.keys(raw).length === 0;
  } catch {
    return false;
  }
}

/** A staging root has the same directory of skulk's own, but nothing that only a store has. */
async function hasStagedCopies(root: string): Promise<boolean> {
  if (!(await isThere(join(root, '.skulk', 'v1', 'staging.json')))) return false;
  const { registry, identity, manifests, lock } = storeLayout(root);
  const marks = await Promise.all([registry, identity, manifests, lock].map(isThere));
  return !marks.some(Boolean);
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
