import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatNames, listForeignNames, type OwnPlaces, whyProtected } from '../../kernel/files/foreign-directory.ts';
import { isDirectory, isThere } from '../../kernel/files/is-there.ts';
import { modelIdOfDirectory } from '../../kernel/model-id.ts';
import { storeLayout } from '../layout.ts';
import { readRegistry } from '../records/registry.ts';

/**
 * Says why a directory cannot be the store as it is, as a continuation of its path in a message. Undefined if it can: it is a store
 * already, empty except for system files, or missing. Taking over a user's files would let others list, read and delete them.
 */
export async function whyNotStoreDirectory(path: string, places: OwnPlaces): Promise<string | undefined> {
  return (await whyProtected(path, places)) ?? (await whyForeignToStore(path));
}

/**
 * The same, based on the content only.
 * @param mayHoldModels whether directories with model names are allowed: below SKULK_HOME only skulk creates them
 */
export async function whyForeignToStore(path: string, { mayHoldModels = false } = {}): Promise<string | undefined> {
  if (await hasStagedCopies(path)) return 'is a staging directory, not a store';
  if (await looksLikeStore(path)) return undefined;
  const foreign = await listForeignNames(path, async (name) => mayHoldModels && modelIdOfDirectory(name) !== undefined);
  return foreign.length === 0 ? undefined : `is not a store and not empty: it contains ${formatNames(foreign)}`;
}

/** Whether a directory is a store of any machine: it has skulk's own directory, or a readable registry. */
export async function looksLikeStore(root: string): Promise<boolean> {
  return (await isDirectory(join(root, '.skulk', 'v1'))) || (await hasRegistry(root));
}

async function hasRegistry(root: string): Promise<boolean> {
  try {
    const layout = storeLayout(root);
    await stat(layout.registry);
    const registry = await readRegistry(layout);
    // A foreign registry.json has no valid entries.
    return !('damaged' in registry) && (registry.entries.size > 0 || Object.keys(registry.raw).length === 0);
  } catch {
    return false;
  }
}

/** A staging root also has skulk's own directory, but nothing that only a store has. */
async function hasStagedCopies(root: string): Promise<boolean> {
  if (!(await isThere(join(root, '.skulk', 'v1', 'staging.json')))) return false;
  const { registry, identity, manifests, lock } = storeLayout(root);
  const marks = await Promise.all([registry, identity, manifests, lock].map(isThere));
  return !marks.some(Boolean);
}
