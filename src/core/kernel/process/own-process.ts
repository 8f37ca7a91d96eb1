// An import of these reads every export of them, and some load a good part of Node; `--version` would pay 5 ms for it.
const { readFileSync } = process.getBuiltinModule('node:fs');
const { userInfo } = process.getBuiltinModule('node:os');
const { isAbsolute } = process.getBuiltinModule('node:path');

/** skulk's own version. Its package.json is one directory above `dist`, two above a chunk and four above this source. */
export function ownVersion(): string {
  for (const up of ['../package.json', '../../package.json', '../../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { name?: string; version?: string };
      if (name === 'skulk' && version !== undefined) return version;
    } catch {
      // Another place has it.
    }
  }
  return '0.0.0';
}

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
