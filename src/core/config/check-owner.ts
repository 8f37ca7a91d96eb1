import type { Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../kernel/errors.ts';
import type { World } from '../kernel/world.ts';

/*
 * A file in the working directory or above it may belong to another user: a shared machine has directories in which everyone can write.
 * So such a file only counts if only this user and root can have put it there, like git's `safe.directory`.
 */

const worldWritable = 0o002;
const sticky = 0o1000;

/**
 * Why a found file does not count; undefined if it does.
 * @returns a clause such as `it belongs to uid 1001`
 */
export async function findForeignOwner(path: string, { env }: Pick<World, 'env'>): Promise<string | undefined> {
  const trusted = trustedUids(env);
  // Windows has no uids; there the ACLs of the home directory protect it.
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
    // A group may be this user's own (umask 002), so only world-writable files are rejected. A link's own mode means nothing.
    const open = looked.find(({ info }) => !info.isSymbolicLink() && (info.mode & worldWritable) !== 0 && !isSticky(info));
    return open === undefined ? undefined : `${open.what} can be written by every user of this machine`;
  } catch (error) {
    return `its owner cannot be determined (${systemCode(error) ?? String(error)})`;
  }
}

/** In a sticky directory, such as /tmp, no user can replace another user's file. */
const isSticky = (info: Stats): boolean => info.isDirectory() && (info.mode & sticky) !== 0;

/** This user and root; under sudo also the calling user, who most likely owns the directory. */
function trustedUids(env: World['env']): ReadonlySet<number> | undefined {
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  const caller = env['SUDO_UID'] ?? '';
  return new Set([0, uid, ...(uid === 0 && /^\d{1,10}$/.test(caller) ? [Number(caller)] : [])]);
}
