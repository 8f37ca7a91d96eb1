import type { Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../kernel/errors.ts';
import type { World } from '../kernel/world.ts';

/*
 * A file in the working directory or above it may be somebody else's: a shared machine has directories in which everybody may write.
 * So such a file counts only when nobody but this user and root can have put it there, as git's `safe.directory` has it.
 */

const worldWritable = 0o002;
const sticky = 0o1000;

/**
 * Why a file that was found does not count; undefined when it does.
 * @returns a clause such as `it belongs to uid 1001`
 */
export async function findForeignOwner(path: string, { env }: Pick<World, 'env'>): Promise<string | undefined> {
  const trusted = trustedUids(env);
  // Windows has no uids; there the ACLs of the home directory do this.
  if (trusted === undefined) return undefined;
  try {
    const target = await realpath(path).catch(() => path);
    const link = await lstat(path);
    const isLink = link.isSymbolicLink();
    const file = await stat(path).catch(() => link);
    const looked = [
      { what: isLink ? 'the link' : 'it', info: link },
      ...(isLink ? [{ what: `its target ${target}`, info: file }] : []),
      { what: `its directory ${dirname(path)}`, info: await stat(dirname(path)) },
      ...(isLink && dirname(target) !== dirname(path)
        ? [{ what: `the directory ${dirname(target)}`, info: await stat(dirname(target)) }]
        : []),
    ];
    const stranger = looked.find(({ info }) => !trusted.has(info.uid));
    if (stranger !== undefined) return `${stranger.what} belongs to uid ${stranger.info.uid}`;
    // A group may be this user's own (umask 002), so only what everybody may write is refused. A link's own mode says nothing.
    const open = looked.find(({ info }) => !info.isSymbolicLink() && (info.mode & worldWritable) !== 0 && !isSticky(info));
    return open === undefined ? undefined : `${open.what} can be written by every user of this machine`;
  } catch (error) {
    return `its owner cannot be determined (${systemCode(error) ?? String(error)})`;
  }
}

/** In a sticky directory, such as /tmp, nobody can replace what another user made. */
const isSticky = (info: Stats): boolean => info.isDirectory() && (info.mode & sticky) !== 0;

/** This user and root; under sudo also who called it, whose directory it most likely is. */
function trustedUids(env: World['env']): ReadonlySet<number> | undefined {
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  const caller = env['SUDO_UID'] ?? '';
  return new Set([0, uid, ...(uid === 0 && /^\d{1,10}$/.test(caller) ? [Number(caller)] : [])]);
}
