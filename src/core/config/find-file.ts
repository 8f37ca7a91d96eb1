import { lstat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { World } from '../kernel/world.ts';
import { findForeignOwner } from './check-owner.ts';
import { expandPath } from './resolve/expand-path.ts';

/** The used part of it; the package has no types for this file. */
interface ExplorerModule {
  readonly Explorer: new (options: object) => { search(directory: string): Promise<{ readonly filepath: string } | null> };
}

const names = ['skulk.yaml', 'skulk.yml', 'skulk.json'];

/** The configuration file, and what selected it. */
export interface FoundFile {
  readonly path: string;
  readonly because: '--config' | 'SKULK_CONFIG' | 'search';
  /** Whether it was found in the working directory or above it: such a file must not decide where a token is sent. */
  readonly isOfWorkingTree: boolean;
}

/** A found file that does not count. */
export interface SkippedFile {
  readonly path: string;
  /** A clause such as `it belongs to uid 1001`. */
  readonly because: string;
}

/** The result of the search for the configuration file. */
export interface FileSearch {
  readonly found: FoundFile | undefined;
  /** Files in the working directory and above that belong to another user. */
  readonly skipped: readonly SkippedFile[];
}

/**
 * Finds the configuration file: `--config`, `SKULK_CONFIG`, the working directory and its ancestors, `$XDG_CONFIG_HOME/skulk/`,
 * `/etc/skulk/`. An explicitly named file that is missing, or an unreadable one, is returned too, so that its reader reports the error:
 * otherwise the defaults would apply silently. A file in the working directory or above that another user may have put there is skipped.
 */
export async function findConfigFile(world: World, flag: string | undefined): Promise<FileSearch> {
  const named = (path: string, because: FoundFile['because']): FileSearch => ({
    found: { path: resolve(world.cwd, expandPath(path, world)), because, isOfWorkingTree: false },
    skipped: [],
  });
  if (flag !== undefined) return named(flag, '--config');
  const fromEnv = world.env['SKULK_CONFIG'];
  if (fromEnv !== undefined && fromEnv !== '') return named(fromEnv, 'SKULK_CONFIG');
  const own = usersDirectories(world);
  const tree = workingTree(world).filter((directory) => !own.includes(directory));
  const skipped: SkippedFile[] = [];
  for (const path of await searchIn(tree)) {
    const because = await findForeignOwner(path, world);
    if (because === undefined) return { found: { path, because: 'search', isOfWorkingTree: true }, skipped };
    skipped.push({ path, because });
  }
  const path = await findUsersFile(world);
  return { found: path === undefined ? undefined : { path, because: 'search', isOfWorkingTree: false }, skipped };
}

/** The file of this user or this machine, independent of the working directory: in `$XDG_CONFIG_HOME/skulk/` or `/etc/skulk/`. */
export async function findUsersFile(world: World): Promise<string | undefined> {
  return (await searchIn(usersDirectories(world)))[0];
}

/** The configuration file of each directory that has one. */
async function searchIn(directories: readonly string[]): Promise<readonly string[]> {
  const candidates = await Promise.all(directories.map(hasCandidate));
  // Most machines have no file at all, and then the search library (25 ms) need not be loaded.
  if (!candidates.includes(true)) return [];
  // The explorer is imported directly: `cosmiconfig()` itself first runs `.config/config.js` in the working directory to configure
  // itself, and this cannot be disabled.
  const { Explorer } = (await import('cosmiconfig/dist/Explorer.js')) as unknown as ExplorerModule;
  // This only finds the file; skulk's own reader, which knows line numbers, parses and validates it.
  const loader = (): object => ({});
  const explorer = new Explorer({
    moduleName: 'skulk',
    searchPlaces: names,
    searchStrategy: 'none',
    loaders: { '.yaml': loader, '.yml': loader, '.json': loader },
    ignoreEmptySearchPlaces: false,
    cache: false,
    transform: (result: unknown) => result,
    metaConfigFilePath: null,
    mergeImportArrays: false,
    mergeSearchPlaces: false,
  });
  const paths: string[] = [];
  for (const directory of directories.filter((_, index) => candidates[index])) {
    const found = await explorer.search(directory);
    const path = found?.filepath ?? (await findUnreadable(directory));
    if (path !== undefined) paths.push(path);
  }
  return paths;
}

/** Every directory that is searched for a configuration file, in order. */
export const searchedDirectories = (world: World): readonly string[] => [...workingTree(world), ...usersDirectories(world)];

function workingTree({ cwd }: World): readonly string[] {
  const directories = [cwd];
  for (let at = cwd; dirname(at) !== at; at = dirname(at)) directories.push(dirname(at));
  return directories;
}

function usersDirectories({ env, homeDirectory }: World): readonly string[] {
  const xdg = env['XDG_CONFIG_HOME'] || join(homeDirectory, '.config');
  return [join(xdg, 'skulk'), '/etc/skulk'];
}

const hasCandidate = async (directory: string): Promise<boolean> => (await findUnreadable(directory)) !== undefined;

/** The first name there that is not a directory, readable or not. */
async function findUnreadable(directory: string): Promise<string | undefined> {
  for (const name of names) {
    const path = join(directory, name);
    const there = await lstat(path).then(
      (info) => !info.isDirectory(),
      () => false,
    );
    if (there) return path;
  }
  return undefined;
}
