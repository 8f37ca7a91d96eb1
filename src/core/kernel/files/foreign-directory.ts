import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { quote } from './relative-path.ts';
import { isSystemFile } from './system-files.ts';

/** The directories of a person that skulk never takes over as a whole. */
export interface OwnPlaces {
  readonly homeDirectory: string;
  readonly skulkHome: string;
}

/** Why a whole directory is never given to skulk, whatever lies in it: it is the root of the system, a home, or SKULK_HOME itself. */
export async function whyProtected(path: string, { homeDirectory, skulkHome }: OwnPlaces): Promise<string | undefined> {
  const real = await realPath(path);
  if (real === '/') return 'is the root of the file system';
  if (real === (await realPath(homeDirectory))) return 'is the home directory';
  if (real === (await realPath(skulkHome))) return 'is SKULK_HOME itself';
  return undefined;
}

/**
 * What lies in a directory that is neither skulk's own nor left there by a system, sorted by name; nothing for a directory that is missing.
 * @param isOwn says of a name whether skulk or the Python Skulk made it
 */
export async function listForeignNames(path: string, isOwn: (name: string) => Promise<boolean>): Promise<readonly string[]> {
  const names = await readdir(path).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  const foreign: string[] = [];
  for (const name of names.toSorted()) {
    if (name === '.skulk' ? await isOwnDirectory(path) : isSystemFile(name) || (await isOwn(name))) continue;
    foreign.push(name);
    // Nobody reads more of them, and a directory may have 200,000.
    if (foreign.length > 100) break;
  }
  return foreign;
}

/** `.skulk` as skulk makes it. In a project it may hold something else by that name. */
async function isOwnDirectory(path: string): Promise<boolean> {
  const names = await readdir(join(path, '.skulk')).catch(() => undefined);
  return names?.every((name) => name === 'v1' || isSystemFile(name)) ?? false;
}

/** Two or three names for a message. */
export function formatNames(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => quote(name));
  if (names.length > 3) return `${shown.join(', ')} and more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

const realPath = (path: string): Promise<string> => realpath(path).catch(() => path);
