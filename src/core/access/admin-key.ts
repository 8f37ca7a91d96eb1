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

/** What a user has to know about the file of a key: it was replaced, or its disk gives every file a mode that others can read. */
export type KeyNews = 'replaced' | 'unprotected';

/**
 * The key of this machine; creates it if there is none. If two processes create one, both get the same. A key that other users of the
 * machine could read is replaced, unless the disk does not keep modes, where a new one would be no safer.
 * @throws SkulkError PERMISSION for a key of another user, who knows it and may need it
 */
export async function prepareAdminKey(skulkHome: string, tell: (path: string, news: KeyNews) => void): Promise<MachineKey> {
  const path = adminKeyFile(skulkHome);
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) await refuseStranger(path, skulkHome);
  if (found !== undefined && !found.isFile())
    throw new SkulkError('CONFIG', `${path} is not a file`, { hint: 'remove it; `skulk serve` creates the key of this machine there' });
  if (found !== undefined && isOpenToOthers(found)) {
    if (await keepsModes(path)) return replacement(path, () => tell(path, 'replaced'));
    tell(path, 'unprotected');
  }
  const known = await readAdminKey(skulkHome);
  if (known !== undefined) return { key: known, keep: async () => {} };
  // An invalid key was not written completely by skulk.
  if (found !== undefined) return replacement(path);
  const key = await makeKey(skulkHome, path);
  if (isOpenToOthers(await stat(path))) tell(path, 'unprotected');
  return { key, keep: async () => {} };
}

const isOpenToOthers = ({ mode }: { readonly mode: number }): boolean => (mode & 0o077) !== 0;

/** Whether a new file beside this one can be closed to other users. A disk like exFAT gives all files the mode of its mount. */
async function keepsModes(path: string): Promise<boolean> {
  const probe = draftOf(path);
  try {
    await writePrivately(probe, '');
    return !isOpenToOthers(await stat(probe));
  } finally {
    await rm(probe, { force: true });
  }
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
    await writePrivately(path, `${key}\n`);
    onReplaced();
  };
  return { key, keep };
}

async function makeKey(skulkHome: string, path: string): Promise<string> {
  const key = makeSecret();
  const draft = draftOf(path);
  await writePrivately(draft, `${key}\n`);
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

const draftOf = (path: string): string => `${path}.${randomBytes(6).toString('hex')}.tmp`;

async function writePrivately(path: string, content: string): Promise<void> {
  await writeFileDurably(path, content, { mode: 0o600 });
  // The umask of the process may have removed more rights. A disk that does not keep modes may refuse.
  await chmod(path, 0o600).catch((error: unknown) => {
    if (!isSystemError(error, 'EPERM', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
  });
}
