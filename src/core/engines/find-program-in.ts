import { readdir, realpath } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { findProgram } from '../kernel/process/child-program.ts';
import type { EngineSearch } from './contract.ts';

/** The directories of package managers; a system service has few of them in its PATH. */
const wellKnown = (home: string): readonly string[] => [
  '/usr/local/bin',
  '/usr/bin',
  '/opt/homebrew/bin',
  '/home/linuxbrew/.linuxbrew/bin',
  join(home, '.local/bin'),
];

/** The directories to search for engines, in order: absolute ones in PATH, then well-known ones. */
export const searchPath = ({ env, homeDirectory }: Pick<EngineSearch, 'env' | 'homeDirectory'>): string =>
  [...new Set([...(env['PATH'] ?? '').split(delimiter).filter(isAbsolute), ...wellKnown(homeDirectory)])].join(delimiter);

/**
 * Finds the program of an engine: the one in an environment variable, else by its name.
 * @returns an absolute path; undefined if there is none
 * @throws SkulkError ENGINE_NOT_FOUND if the variable's program cannot be executed
 */
export function findProgramIn(names: readonly string[], variable: string, search: EngineSearch): string | undefined {
  const named = search.env[variable];
  if (named !== undefined && named !== '') {
    const refuse = (why: string, cause?: unknown): never => {
      throw new SkulkError('ENGINE_NOT_FOUND', `${variable} is not usable: ${why}`, {
        hint: `set it to the absolute path of ${names[0]}, or unset it`,
        cause,
      });
    };
    if (!isAbsolute(named)) return refuse(`${JSON.stringify(named)} is not an absolute path`);
    try {
      return findProgram(named, { env: {}, cwd: '/' });
    } catch (error) {
      return refuse((error as Error).message, error);
    }
  }
  for (const name of names) {
    try {
      return findProgram(name, { env: { PATH: searchPath(search) }, cwd: '/' });
    } catch (error) {
      if (!(error instanceof SkulkError)) throw error;
    }
  }
  return undefined;
}

/**
 * The version of a Python package, from the metadata that its installer wrote beside the program's environment: Python programs need
 * seconds to report it themselves.
 * @returns null if there is no such metadata
 */
export async function versionOfPython(program: string, packageName: string): Promise<string | null> {
  try {
    const libraries = join(dirname(dirname(await realpath(program))), 'lib');
    for (const python of (await readdir(libraries)).filter((name) => name.startsWith('python'))) {
      const names = await readdir(join(libraries, python, 'site-packages')).catch((): string[] => []);
      for (const name of names) {
        const [, found, version] = /^(\w+)-([\w.!+]+)\.dist-info$/.exec(name) ?? [];
        if (found === packageName && version !== undefined) return version;
      }
    }
  } catch {
    // It was installed in another way.
  }
  return null;
}
