import { lstat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { World } from '../kernel/world.ts';
import { expandPath } from './expand-path.ts';

/** What is used of it; the package publishes no types for this file. */
interface ExplorerModule {
  readonly Explorer: new (options: object) => { search(directory: string): Promise<{ readonly filepath: string } | null> };
}

const names = ['skulk.yaml', 'skulk.yml', 'skulk.json'];

/** Where the configuration comes from, and who said so. */
export interface FoundFile {
  readonly path: string;
  readonly because: '--config' | 'SKULK_CONFIG' | 'search';
}

/**
 * Finds the configuration file: `--config`, `SKULK_CONFIG`, the working directory and its ancestors,
 * `$XDG_CONFIG_HOME/skulk/`, `/etc/skulk/`. A file that is named but absent, or there but unreadable, is found all the
 * same, for the reader to report: silence would mean the defaults.
 */
export async function findConfigFile(world: World, flag: string | undefined): Promise<FoundFile | undefined> {
  const expand = (path: string): string => resolve(world.cwd, expandPath(path, world));
  if (flag !== undefined) return { path: expand(flag), because: '--config' };
  const fromEnv = world.env['SKULK_CONFIG'];
  if (fromEnv !== undefined && fromEnv !== '') return { path: expand(fromEnv), because: 'SKULK_CONFIG' };
  const directories = searchedDirectories(world);
  const candidates = await Promise.all(directories.map(hasCandidate));
  // Most machines have no file at all, and then the searching library (25 ms) need not be loaded.
  if (!candidates.includes(true)) return undefined;
  // The explorer is taken from below the package's front door: `cosmiconfig()` itself first runs what it finds as
  // `.config/config.js` in the working directory, to configure itself, and offers no way to leave that out.
  const { Explorer } = (await import('cosmiconfig/dist/Explorer.js')) as unknown as ExplorerModule;
  // Only the looking is done here; the text is read and checked by our own reader, which knows lines.
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
  for (const directory of directories.filter((_, index) => candidates[index])) {
    const found = await explorer.search(directory);
    const path = found?.filepath ?? (await findUnreadable(directory));
    if (path !== undefined) return { path, because: 'search' };
  }
  return undefined;
}

/** Every directory in which a configuration file is looked for, in order. */
export function searchedDirectories(world: World): readonly string[] {
  const directories = [world.cwd];
  for (let at = world.cwd; dirname(at) !== at; at = dirname(at)) directories.push(dirname(at));
  const xdg = world.env['XDG_CONFIG_HOME'] || join(world.homeDirectory, '.config');
  return [...directories, join(xdg, 'skulk'), '/etc/skulk'];
}

const hasCandidate = async (directory: string): Promise<boolean> => (await findUnreadable(directory)) !== undefined;

/** The first name there that is not a directory, whether it can be read or not. */
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
