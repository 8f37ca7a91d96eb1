import { readdir } from 'node:fs/promises';
import { coalesce } from '../../kernel/flow/coalesce.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import { isDirectoryInside } from '../disk/inside-store.ts';
import type { Registry } from './registry.ts';

/** The registered models, separated by whether their directories exist. */
export interface ModelList {
  readonly present: readonly RegistryEntry[];
  readonly lost: readonly ModelId[];
}

/**
 * Checks which models exist, by reading the directory once for all. Returns the same list object until something changes, so that results
 * derived from it can be reused.
 * @param steps increases when this process begins or ends a change to a model
 */
export function createModelLister(root: string, registry: () => Promise<Registry>, steps: () => number): () => Promise<ModelList> {
  let last: { readonly entries: ReadonlyMap<ModelId, RegistryEntry>; readonly list: ModelList } | undefined;
  const readModels = async (triesLeft: number): Promise<readonly [ReadonlyMap<ModelId, RegistryEntry>, readonly boolean[]]> => {
    const before = steps();
    const { entries } = await registry();
    const plain = await plainDirectories(root);
    // After an error of the disk, a model is listed: nobody knows that it is gone, and its files report the error.
    const isThere = await Promise.all(
      entries.values().map(({ store_path }) => plain.has(store_path) || isDirectoryInside(root, store_path).catch(() => true)),
    );
    // While one directory replaces another, there is a moment without any.
    const isDoubtful = isThere.includes(false) && (before % 2 === 1 || steps() !== before);
    return isDoubtful && triesLeft > 0 ? readModels(triesLeft - 1) : [entries, isThere];
  };
  return coalesce(async () => {
    const [entries, isThere] = await readModels(maxTries);
    const all = [...entries.values()];
    const present = all.filter((_, index) => isThere[index]);
    if (last?.entries === entries && isSame(last.list.present, present)) return last.list;
    const lost = all.filter((_, index) => !isThere[index]).map(({ model_id }) => model_id);
    last = { entries, list: { present, lost } };
    return last.list;
  });
}

/** A change takes milliseconds. */
const maxTries = 20;

/** A real directory (not a link) right below the root is inside it. If the root cannot be read, each model is checked on its own. */
async function plainDirectories(root: string): Promise<ReadonlySet<string>> {
  const items = await readdir(root, { withFileTypes: true }).catch(() => []);
  return new Set(items.filter((item) => item.isDirectory()).map(({ name }) => name));
}

const isSame = (a: readonly RegistryEntry[], b: readonly RegistryEntry[]): boolean =>
  a.length === b.length && a.every((entry, index) => entry === b[index]);
