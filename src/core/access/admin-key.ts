import { randomBytes } from 'node:crypto';
import { chmod, link, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { syncDirectory, writeFileDurably } from '../kernel/files/durable-file.ts';
import { ownerOf } from '../kernel/machine/owner-of.ts';
import { makeSecret } from '../kernel/secret.ts';

/** The file with the key of this machine. Anyone who can read it can change the settings of its server. */
export const adminKeyFile = (skulkHome: string): string => join(skulkHome, 'admin-key');

const pattern = /^[\w-]{43}$/;

/** The key of this machine; undefined if there is none yet, or this user may not read it. */
export async function readAdminKey(skulkHome: string): Promise<string | undefined> {
  try {
    const key = (await readFile(adminKeyFile(skulkHome), 'utf8')).trim();
    return pattern.test(key) ? key : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

/**
 * The key of this machine; creates it if there is none. If two processes create one, both get the same. A key that other users of the
 * machine could read or have created is replaced.
 * @param onReplaced called if that happened
 */
export async function ensureAdminKey(skulkHome: string, onReplaced: (path: string) => void): Promise<string> {
  const path = adminKeyFile(skulkHome);
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && ((found.mode & 0o077) !== 0 || (await isOfStranger(path)))) {
    onReplaced(path);
    return replaceKey(path, makeSecret());
  }
  const known = await readAdminKey(skulkHome);
  if (known !== undefined) return known;
  if (found !== undefined && !found.isFile())
    throw new SkulkError('CONFIG', `${path} is not a file`, { hint: 'remove it; `skulk serve` creates the key of this machine there' });
  // An invalid key was not written completely by skulk.
  return found === undefined ? makeKey(skulkHome, path) : replaceKey(path, makeSecret());
}

/** The user who wrote the key knows it. */
async function isOfStranger(path: string): Promise<boolean> {
  const [owner, self] = [await ownerOf(path), process.geteuid?.()];
  return self !== undefined && owner !== 0 && owner !== self;
}

async function makeKey(skulkHome: string, path: string): Promise<string> {
  const key = makeSecret();
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await writeKey(draft, key);
  try {
    await link(draft, path);
    await syncDirectory(skulkHome);
    return key;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return (await readAdminKey(skulkHome)) ?? key;
    // Some file systems have no hard links.
    await rename(draft, path);
    return key;
  } finally {
    await rm(draft, { force: true });
  }
}

async function replaceKey(path: string, key: string): Promise<string> {
  await writeKey(path, key);
  return key;
}

async function writeKey(path: string, key: string): Promise<void> {
  await writeFileDurably(path, `${key}\n`, { mode: 0o600 });
  // The umask of the process may have removed more rights.
  await chmod(path, 0o600);
}
