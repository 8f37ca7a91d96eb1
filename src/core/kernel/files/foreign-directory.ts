import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from './if-present.ts';
import { quote } from './relative-path.ts';
import { isSystemFile } from './system-files.ts';

/** The user's directories that skulk never takes over as a whole. */
export interface OwnPlaces {
  readonly homeDirectory: string;
  readonly skulkHome: string;
}

/** Says why skulk must never take over a directory, whatever it contains: it is the system's root, a home, or SKULK_HOME itself. */
export async function whyProtected(path: string, { homeDirectory, skulkHome }: OwnPlaces): Promise<string | undefined> {
  const real = await realPath(path);
  if (real === '/') return 'is the root of the file system';
  if (real === (await realPath(homeDirectory))) return 'is the home directory';
  if (real === (await realPath(skulkHome))) return 'is SKULK_HOME itself';
  return undefined;
}

/**
 * Lists the names in a directory that neither skulk nor the operating system created, sorted. Returns an empty list for a missing
 * directory.
 * @param isOwn whether skulk or the Python Skulk created a name
 */
export async function listForeignNames(path: string, isOwn: (name: string) => Promise<boolean>): Promise<readonly string[]> {
  const names = await namesIn(path);
  const foreign: string[] = [];
  for (const name of names.toSorted()) {
    if (name === '.skulk' ? await isOwnDirectory(path) : isSystemFile(name) || (await isOwn(name))) continue;
    foreign.push(name);
    // A message shows only a few of them, and a directory may have 200,000.
    if (foreign.length > 100) break;
  }
  return foreign;
}

/** Whether `.skulk` is the directory that skulk makes. In a project, that name may be something else. */
async function isOwnDirectory(path: string): Promise<boolean> {
  const names = await readdir(join(path, '.skulk')).catch(() => undefined);
  return names?.every((name) => name === 'v1' || isSystemFile(name)) ?? false;
}

/** Formats two or three names for a message. */
export function formatNames(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => quote(name));
  if (names.length > 3) return `${shown.join(', ')} and more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

const realPath = (path: string): Promise<string> => realpath(path).catch(() => path);
