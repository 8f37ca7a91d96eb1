import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** How skulk was installed. */
export type InstallationMethod = 'archive' | 'deb' | 'npm' | 'clone';

/** An installation of skulk, and how to upgrade it. */
export interface Installation {
  readonly method: InstallationMethod;
  /** The directory of the program. */
  readonly directory: string;
  /** Lines for a shell. Words in capital letters are placeholders for names of the new release. */
  readonly commands: readonly string[];
}

/**
 * Finds out how skulk was installed. An archive and the Debian package contain a marker file; a clone has `.git`.
 * @param own the directory of skulk's package.json
 */
export async function findInstallation(own: string): Promise<Installation> {
  const directory = own.replace(/(?<=.)\/+$/, '');
  const release = dirname(directory);
  const method = await methodIn(join(release, '.skulk-release'));
  if (method === 'deb') return { method, directory: release, commands: ['sudo apt install ./skulk_VERSION_ARCHITECTURE.deb'] };
  if (method === 'archive') {
    const prefix = dirname(dirname(release));
    return { method, directory: release, commands: [`sh RELEASE/install.sh --from RELEASE --prefix ${quoted(prefix)}`] };
  }
  if (existsSync(join(directory, '.git'))) {
    const commands = [`cd ${quoted(directory)}`, 'git pull --ff-only', 'npm ci'];
    return { method: 'clone', directory, commands };
  }
  return { method: 'npm', directory, commands: ['npm install -g ./skulk-VERSION.tgz'] };
}

async function methodIn(path: string): Promise<unknown> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as { readonly method?: unknown } | null)?.method;
  } catch {
    return undefined;
  }
}

const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
