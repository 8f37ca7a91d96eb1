import { randomBytes } from 'node:crypto';
import { chmod, link, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { syncDirectory, writeFileDurably } from '../kernel/files/durable-file.ts';
import { nameOfUser, ownerOf } from '../kernel/machine/owner-of.ts';
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

/** The key of this machine, which may not be in its file yet. */
export interface MachineKey {
  readonly key: string;
  /** Writes a key that replaces an unsafe one. Call it when the server has its ports: another server may still use the old one. */
  readonly keep: () => Promise<void>;
}

/**
 * The key of this machine; creates it if there is none. If two processes create one, both get the same. A key that other users of the
 * machine could read is replaced.
 * @throws SkulkError PERMISSION for a key of another user, who knows it and may need it
 */
export async function prepareAdminKey(skulkHome: string, onReplaced: (path: string) => void): Promise<MachineKey> {
  const path = adminKeyFile(skulkHome);
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) await refuseStranger(path, skulkHome);
  if (found !== undefined && (found.mode & 0o077) !== 0) return replacement(path, () => onReplaced(path));
  const known = await readAdminKey(skulkHome);
  if (known !== undefined) return { key: known, keep: async () => {} };
  if (found !== undefined && !found.isFile())
    throw new SkulkError('CONFIG', `${path} is not a file`, { hint: 'remove it; `skulk serve` creates the key of this machine there' });
  // An invalid key was not written completely by skulk.
  if (found !== undefined) return replacement(path);
  return { key: await makeKey(skulkHome, path), keep: async () => {} };
}

async function refuseStranger(path: string, skulkHome: string): Promise<void> {
  const [owner, ownerOfHome, self] = [await ownerOf(path), await ownerOf(skulkHome), process.geteuid?.()];
  if (self === undefined || owner === undefined || owner === self) return;
  // With sudo, root serves for the owner of that directory.
  if (self === 0 && owner === ownerOfHome) return;
  const name = (await nameOfUser(owner)) ?? 'another user';
  throw new SkulkError('PERMISSION', `${path}, the key of this machine, belongs to ${name}`, {
    hint:
      owner === ownerOfHome
        ? `run it as that user: sudo -u ${name} -H skulk serve; or set SKULK_HOME to a directory of your own`
        : 'if no other server uses it, remove it; `skulk serve` then creates a new one',
  });
}

function replacement(path: string, onReplaced = () => {}): MachineKey {
  const key = makeSecret();
  const keep = async () => {
    await writeKey(path, key);
    onReplaced();
  };
  return { key, keep };
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

async function writeKey(path: string, key: string): Promise<void> {
  await writeFileDurably(path, `${key}\n`, { mode: 0o600 });
  // The umask of the process may have removed more rights.
  await chmod(path, 0o600);
}
