// An import of these modules reads all of their exports, and some load a large part of Node. That would cost `--version` 5 ms.
const { readFileSync } = process.getBuiltinModule('node:fs');
const { userInfo } = process.getBuiltinModule('node:os');
const { isAbsolute } = process.getBuiltinModule('node:path');

/** Finds skulk's own package.json: one directory above `dist`, two above a chunk and four above this source. */
function ownPackage(): { readonly directory: string; readonly version: string } | undefined {
  for (const up of ['..', '../..', '../../../..']) {
    try {
      const file = new URL(`${up}/package.json`, import.meta.url);
      const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
      if (name === 'skulk' && version !== undefined) return { directory: decodeURIComponent(new URL('.', file).pathname), version };
    } catch {
      // Try the next location.
    }
  }
  return undefined;
}

/** skulk's own version. */
export const ownVersion = (): string => ownPackage()?.version ?? '0.0.0';

/** The directory of skulk's package.json. */
export const ownDirectory = (): string => ownPackage()?.directory ?? '/';

/**
 * The working directory. If it was removed while the process runs, it has no path; its last path then gives a correct "does not exist"
 * error.
 */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    const last = process.env['PWD'] ?? '';
    return isAbsolute(last) ? last : '/';
  }
}

/**
 * The user's home: `HOME`, else the one in the user database, else `/`, which containers use for a user without a home.
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

/** The name of the user that runs this process; its number if the user database does not have it, as in many containers. */
export function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
