import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';

/** Whether two paths mean one directory. Symbolic links and a disk that ignores case are taken into account. */
export async function isSameDirectory(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path, { bigint: true }).catch(() => undefined)));
  if (first !== undefined && second !== undefined) return first.dev === second.dev && first.ino === second.ino;
  return (await realPathOf(a)) === (await realPathOf(b));
}

/** Whether a directory is a store of any host: it has a registry or manifests. */
export async function isStore(directory: string): Promise<boolean> {
  for (const mark of ['registry.json', join('.skulk', 'v1', 'manifests')]) {
    if (await lstat(join(directory, mark)).then(Boolean, () => false)) return true;
  }
  return false;
}

/**
 * Whether a staging root is a canonical store. `store_path` may come from a configuration that all machines share. It only counts if
 * there is a store, or on the host, whose store may have lost its registry.
 */
export const isCanonicalRoot = async (
  root: string,
  { storePath, isStoreHost }: { readonly storePath: string; readonly isStoreHost: boolean },
): Promise<boolean> => (await isStore(root)) || (isStoreHost && (await isSameDirectory(root, storePath)));

/** Whether a path is inside a store. */
export const isInsideStore = async (path: string, storePath: string): Promise<boolean> =>
  (await isStore(storePath)) && isInside(path, storePath);

/** Whether `path` is `root` or inside it, by real path. */
export async function isInside(path: string, root: string): Promise<boolean> {
  const realRoot = await realPathOf(root);
  for (let at = await realPathOf(path); ; at = dirname(at)) {
    if (at === realRoot || (await isSameDirectory(at, realRoot))) return true;
    if (dirname(at) === at) return false;
  }
}

/** The real path. Parts that do not exist yet stay as they are. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return dirname(path) === path ? path : join(await realPathOf(dirname(path)), basename(path)).replace(sep + sep, sep);
  }
}
