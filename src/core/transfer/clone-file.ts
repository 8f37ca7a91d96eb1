import { constants } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import type { FileDigest } from './hash-job.ts';
import { type HashOptions, runHashJob } from './hash-pool.ts';
import { syncFile } from './sync-file.ts';

/** How a file is cloned. */
export interface CloneOptions extends HashOptions {
  /** Called before bytes are copied because the disk cannot share them. */
  readonly beforeCopy?: () => Promise<void>;
}

/** A new file with the content of another one. */
export interface ClonedFile extends FileDigest {
  /** Whether the two share their blocks on the disk, so that no byte was copied. */
  readonly shared: boolean;
}

/**
 * Makes `to` a copy of `from`: a reflink where the disk can, else a copy; either way hashed from its own bytes and synced.
 * `to` must not exist; its directory is made.
 */
export async function cloneFile(from: string, to: string, options: CloneOptions): Promise<ClonedFile> {
  await makeDirectory(dirname(to));
  if (!(await reflink(from, to))) {
    await options.beforeCopy?.();
    return { ...(await runHashJob({ kind: 'copy', from, to }, options)), shared: false };
  }
  const digest = await runHashJob({ kind: 'digest', path: to }, options);
  await syncFile(to);
  return { ...digest, shared: true };
}

/** Tries a copy-on-write clone; false where the file system cannot. */
async function reflink(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (!isSystemError(error, 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY', 'EPERM')) throw error;
    await rm(to, { force: true });
    return false;
  }
}
