import { constants } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import type { FileDigest } from './hashing/hash-job.ts';
import { type HashOptions, runHashJob } from './hashing/hash-pool.ts';
import { syncFile } from './sync-file.ts';

/** How to clone a file. */
export interface CloneOptions extends HashOptions {
  /** Called before bytes are copied because the disk cannot clone the file. */
  readonly beforeCopy?: () => Promise<void>;
}

/** A new file with the content of another file. */
export interface ClonedFile extends FileDigest {
  /** Whether the two files share their blocks on the disk, so that no byte was copied. */
  readonly shared: boolean;
}

/**
 * Makes `to` a copy of `from`: a reflink if the disk supports it, else a copy. Either way the new file is hashed from its own bytes and
 * synced. `to` must not exist; its directory is created.
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

/** Tries a copy-on-write clone. Returns false if the file system does not support it. */
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
