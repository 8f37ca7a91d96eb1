import { readdir } from 'node:fs/promises';
import { coalesce } from '../../kernel/flow/coalesce.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { RegistryEntry } from '../../protocol/models.ts';
import { isDirectoryInside } from '../disk/inside-store.ts';
import type { Registry } from './registry.ts';

/** The registry's models, by whether their directories are there. */
export interface ModelList {
  readonly present: readonly RegistryEntry[];
  readonly lost: readonly ModelId[];
}

/**
 * Looks which models are there. The directory is read once for all of them, and the same list is given out as long as it is the
 * same, so that what is made of it need not be made again.
 * @param steps grows when this process begins a change to a model, and when it ends it
 */
export function createModelLister(root: string, registry: () => Promise<Registry>, steps: () => number): () => Promise<ModelList> {
  let last: { readonly entries: ReadonlyMap<ModelId, RegistryEntry>; readonly list: ModelList } | undefined;
  const look = async (triesLeft: number): Promise<readonly [ReadonlyMap<ModelId, RegistryEntry>, readonly boolean[]]> => {
    const before = steps();
    const { entries } = await registry();
    const plain = await plainDirectories(root);
    const isThere = await Promise.all(
      entries.values().map(({ store_path }) => plain.has(store_path) || isDirectoryInside(root, store_path)),
    );
    // While one directory takes the place of another there is none.
    const isDoubtful = isThere.includes(false) && (before % 2 === 1 || steps() !== before);
    return isDoubtful && triesLeft > 0 ? look(triesLeft - 1) : [entries, isThere];
  };
  return coalesce(async () => {
    const [entries, isThere] = await look(maxTries);
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

/** What is a directory right below the root, and no link, lies inside it. */
async function plainDirectories(root: string): Promise<ReadonlySet<string>> {
  const items = await readdir(root, { withFileTypes: true }).catch(() => []);
  return new Set(items.filter((item) => item.isDirectory()).map(({ name }) => name));
}

const isSame = (a: readonly RegistryEntry[], b: readonly RegistryEntry[]): boolean =>
  a.length === b.length && a.every((entry, index) => entry === b[index]);
