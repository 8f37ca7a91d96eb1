import { constants } from 'node:fs';
import { access, opendir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { Deps } from '../../connect/deps.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import type { Browsed } from '../../protocol/settings.ts';
import { diskRoom } from '../../transfer/disk-room.ts';

const maxListed = 1000;
/** The maximum number of directory entries to read, and the number of directories to sort. */
const maxInspected = 20_000;
const maxSorted = 5_000;
const byName = new Intl.Collator();

/**
 * Lists the directories in a directory, for choosing a path of the configuration. Shows only directories below `browse_roots`, no hidden
 * ones, and no files.
 * @param path if absent, the roots themselves
 * @throws SkulkError BAD_PATH, FORBIDDEN for a path outside the roots, NOT_FOUND
 */
export async function browseDirectories(deps: Deps, { path }: { readonly path: string | undefined }): Promise<Browsed> {
  const found = await rootsOf(deps);
  const roots = [...new Set(found.map(({ place }) => place))];
  if (path === undefined || path === '') {
    const directories = roots.map((root) => ({ name: root, path: root }));
    return { path: null, parent: null, roots, directories, is_cut: false, is_writable: false, free_bytes: null, total_bytes: null };
  }
  if (!isAbsolute(path) || path.includes('\0'))
    throw new SkulkError('BAD_PATH', `${JSON.stringify(path.slice(0, 200))} is not an absolute path`, { hint: 'e.g. ?path=/mnt/models' });
  const asked = resolve(path);
  // The answer must not reveal whether a path outside the roots exists.
  if (rootAbove([...roots, ...found.map(({ name }) => name)], asked) === undefined) throw outside(asked);
  // A link may lead out of its root.
  const place = await realpath(asked).catch((error: unknown) => {
    throw isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG') ? missing(asked) : error;
  });
  const root = rootAbove(roots, place);
  if (root === undefined) throw outside(asked);
  const { names, isCut } = await listDirectories(place).catch((error: unknown) => {
    throw isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM') ? missing(asked) : error;
  });
  const { free, total } = await diskRoom(place);
  return {
    path: place,
    parent: place === root ? null : dirname(place),
    roots,
    directories: names
      .toSorted(byName.compare)
      .slice(0, maxListed)
      .map((name) => ({ name, path: resolve(place, name) })),
    is_cut: isCut || names.length > maxListed,
    is_writable: await access(place, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    ),
    free_bytes: free,
    total_bytes: total,
  };
}

/** The names of directories that are not hidden, from a limited number of entries; in batches, so that other work gets its turn. */
async function listDirectories(place: string): Promise<{ readonly names: readonly string[]; readonly isCut: boolean }> {
  const names: string[] = [];
  let looked = 0;
  // Leaving the loop closes the directory.
  for await (const entry of await opendir(place, { bufferSize: 256 })) {
    looked += 1;
    if (looked > maxInspected || names.length >= maxSorted) return { names, isCut: true };
    if (entry.isDirectory() && !isHidden(entry.name)) names.push(entry.name);
  }
  return { names, isCut: false };
}

/** The configured roots, else the usual mount points, the home directory, and the directories in the configuration. */
async function rootsOf({ config, world }: Deps): Promise<readonly { readonly name: string; readonly place: string }[]> {
  const { browseRoots, storePath, nodeCachePath } = config.settings;
  const usual = [
    dirname(storePath.value),
    dirname(nodeCachePath.value),
    ...['/Volumes', '/mnt', '/media', '/srv', '/data'],
    world.homeDirectory,
  ];
  const found = await Promise.all((browseRoots.value ?? usual).map(directoryAt));
  const roots = found.filter((root) => root !== undefined);
  // The system's root directory is never a root, whatever directory is configured at its top.
  return browseRoots.value === undefined ? roots.filter(({ place }) => dirname(place) !== place) : roots;
}

async function directoryAt(name: string): Promise<{ readonly name: string; readonly place: string } | undefined> {
  try {
    const place = await realpath(name);
    return (await stat(place)).isDirectory() ? { name, place } : undefined;
  } catch {
    return undefined;
  }
}

/** The deepest root above a path, without a hidden directory in between. */
function rootAbove(roots: readonly string[], path: string): string | undefined {
  return roots
    .filter((root) => {
      const below = relative(root, path);
      if (below === '') return true;
      const steps = below.split(sep);
      return !isAbsolute(below) && steps[0] !== '..' && !steps.some(isHidden);
    })
    .toSorted((a, b) => b.length - a.length)[0];
}

const isHidden = (name: string): boolean => basename(name).startsWith('.');

const outside = (path: string): SkulkError =>
  new SkulkError('FORBIDDEN', `${path} is not below a directory that may be browsed`, {
    hint: 'model_store.browse_roots in skulk.yaml lists them; a request without ?path= returns them',
  });

const missing = (path: string): SkulkError =>
  new SkulkError('NOT_FOUND', `${path} is not a readable directory`, { hint: 'create it, or change its mode' });
