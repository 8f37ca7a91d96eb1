// An import of these reads every export of them, and some load a good part of Node; `--version` would pay 5 ms for it.
const { readFileSync } = process.getBuiltinModule('node:fs');
const { userInfo } = process.getBuiltinModule('node:os');
const { isAbsolute } = process.getBuiltinModule('node:path');

/** skulk's own package.json: one directory above `dist`, two above a chunk and four above this source. */
function ownPackage(): { readonly directory: string; readonly version: string } | undefined {
  for (const up of ['..', '../..', '../../../..']) {
    try {
      const file = new URL(`${up}/package.json`, import.meta.url);
      const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
      if (name === 'skulk' && version !== undefined) return { directory: decodeURIComponent(new URL('.', file).pathname), version };
    } catch {
      // Another place has it.
    }
  }
  return undefined;
}

/** skulk's own version. */
export const ownVersion = (): string => ownPackage()?.version ?? '0.0.0';

/** The directory of skulk's package.json. */
export const ownDirectory = (): string => ownPackage()?.directory ?? '/';

/** The working directory. One that was removed under the process has no path any more; its last name leads to an honest "does not exist". */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    const last = process.env['PWD'] ?? '';
    return isAbsolute(last) ? last : '/';
  }
}

/**
 * The user's home: `HOME`, else the one of the user database, else `/`, which is what containers give to a user that has none.
 * @param fromEnv the value of `HOME`
 */
export function homeOfUser(fromEnv: string | undefined): string {
  if (fromEnv !== undefined && isAbsolute(fromEnv)) return fromEnv;
  try {
    return userInfo().homedir || '/';
  } catch {
    return '/';
  }
}
