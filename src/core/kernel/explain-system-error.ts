import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { type ErrorCode, SkulkError, systemCode } from './errors.ts';
import { networkReasonOf } from './explain-network-error.ts';

interface Sentence {
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint: string;
}

const noRoomHint = 'free some space and run the command again; verified data is kept';
const away = (
  text: string,
  hint = 'check with `df PATH` that the disk is mounted and answers; if not, unmount it and mount it again',
): Sentence => ({
  code: 'DISK_ABSENT',
  text,
  hint,
});
const refused = (text: string, hint: string): Sentence => ({ code: 'DISK_FAILED', text, hint });

const sentences: Readonly<Record<string, Sentence>> = {
  EACCES: { code: 'PERMISSION', text: 'permission denied', hint: 'check the owner and the mode of that path, and the umask' },
  EPERM: { code: 'PERMISSION', text: 'operation not permitted', hint: 'check the owner and the mode of that path' },
  EROFS: { code: 'PERMISSION', text: 'the file system is read-only', hint: 'remount it read-write, or choose another path' },
  ENOSPC: { code: 'NO_SPACE', text: 'no space left on the disk', hint: noRoomHint },
  EDQUOT: { code: 'NO_SPACE', text: 'the disk quota is used up', hint: noRoomHint },
  EFBIG: refused(
    'the file exceeds the size limit of this file system or user',
    'FAT32 allows at most 4 GiB: use ext4, APFS, NTFS or exFAT; `ulimit -f` shows the limit of the user',
  ),
  EMLINK: refused('the directory or file has too many links for this file system', 'use another file system, or another directory'),
  ENAMETOOLONG: { code: 'BAD_PATH', text: 'the name is too long for this file system', hint: 'use a shorter path' },
  ENOTDIR: { code: 'BAD_PATH', text: 'a part of the path is not a directory', hint: 'check the path' },
  ELOOP: { code: 'BAD_PATH', text: 'too many symbolic links', hint: 'check the targets of the links' },
  EILSEQ: refused('the file system does not support this name', 'use a file system that supports UTF-8 names'),
  EIO: { code: 'INTEGRITY', text: 'the disk reported an input/output error', hint: 'check the disk and the system log' },
  EREMOTEIO: { code: 'INTEGRITY', text: 'the disk reported an input/output error', hint: 'check the disk and the system log' },
  EUCLEAN: { code: 'INTEGRITY', text: 'the file system is damaged', hint: 'unmount the disk and check it with fsck' },
  EBUSY: { code: 'CONFLICT', text: 'the system is using it', hint: 'something may be mounted there; unmount it' },
  ENOTEMPTY: { code: 'CONFLICT', text: 'another program writes there', hint: 'find and stop that program, then run the command again' },
  ETXTBSY: { code: 'CONFLICT', text: 'a running program uses the file', hint: 'end that program' },
  ESTALE: { code: 'CONFLICT', text: 'the network disk no longer has it', hint: 'remount that disk' },
  ENOTCONN: away(
    'the program behind this file system has ended',
    'unmount it (`fusermount -u PATH` or `umount -l PATH`) and mount it again',
  ),
  ECONNABORTED: away('the program behind this file system failed'),
  ENODEV: away('the device is gone'),
  ENXIO: away('there is no such device or address'),
  ENOMEDIUM: away('no medium is in the drive'),
  ESHUTDOWN: away('the disk was shut down'),
  EHOSTDOWN: away('the machine with the disk is down'),
  EHOSTUNREACH: away('the machine with the disk cannot be reached'),
  ENETUNREACH: away('the network of the disk cannot be reached'),
  ETIMEDOUT: away('the disk did not answer in time'),
  ECONNREFUSED: away('the machine with the disk refuses the connection'),
  ECONNRESET: away('the connection to the disk was closed'),
  ENOLCK: refused('the file system does not support locks', 'check the lock service of the network disk (rpc.statd), or use a local disk'),
  ENOTSUP: refused('the file system does not support this operation', 'use another file system'),
  EOPNOTSUPP: refused('the file system does not support this operation', 'use another file system'),
  ENOSYS: refused('the file system does not support this operation', 'use another file system'),
  EOVERFLOW: refused('the file system returned a number that is too large', 'check the disk; a 32-bit network disk cannot hold such files'),
  EUSERS: refused('too many users for the quota of this disk', 'ask the administrator of the disk'),
  ENOMEM: refused('out of memory', 'end other programs and run the command again'),
  EMFILE: { code: 'PERMISSION', text: 'too many open files', hint: 'raise the limit (ulimit -n)' },
  ENFILE: { code: 'PERMISSION', text: 'too many open files on this machine', hint: 'raise the limit of the system' },
};

const noInodes: Sentence = {
  code: 'NO_SPACE',
  text: 'no inodes are left on the disk: it cannot hold more files, although it has free space',
  hint: 'remove unneeded files (`df -i` shows the inodes), or use a file system with more inodes; verified data is kept',
};

/**
 * Turns a system failure that a user can fix into a `SkulkError` with the path and the operation. Returns any other value unchanged.
 * @param doing the operation, e.g. `"cannot write /path"`
 */
export function explainSystemError(error: unknown, doing: string): unknown {
  if (error instanceof SkulkError) return error;
  const sentence = sentenceFor(error);
  if (sentence === undefined) return error;
  const path = pathOf(error);
  const where = path !== undefined && !doing.includes(path) ? ` (${path})` : '';
  const hint = path === undefined ? sentence.hint : sentence.hint.replaceAll('PATH', path);
  return new SkulkError(sentence.code, `${doing}: ${sentence.text}${where}`, { hint, cause: error });
}

/**
 * Like `explainSystemError`, for an error that nothing else caught. An error with a path becomes `cannot open PATH: …`, whatever its code
 * is. The names of system calls are replaced by words.
 */
export function explainAnySystemError(error: unknown): unknown {
  if (error instanceof SkulkError || !isOfFiles(error)) return explainSystemError(error, 'the system refused');
  const { path, dest, syscall = '' } = error;
  const verb = Object.hasOwn(verbs, syscall) ? verbs[syscall] : 'use';
  // The name of a draft tells nobody anything.
  const directory = pathOf(error);
  const doing = directory !== path ? `cannot write to ${directory}` : `cannot ${verb} ${dest === undefined ? path : `${path} as ${dest}`}`;
  const known = explainSystemError(error, doing);
  if (known instanceof SkulkError) return known;
  const code = systemCode(error) ?? 'unknown';
  return new SkulkError('DISK_FAILED', `${doing}: ${meaningOf(error)} (${code})`, {
    hint: code === 'ENOENT' ? 'check the path: it may have been removed, or its disk may not be mounted' : 'check that path and its disk',
    cause: error,
  });
}

/**
 * A failure in one line, for a warning: the operation and the reason, in words and with the path.
 * @param doing the operation, e.g. `"cannot write /path"`
 */
export function describeFailure(doing: string, error: unknown): string {
  const known = explainSystemError(error, doing);
  if (known instanceof SkulkError) return known === error ? `${doing}: ${known.message}` : known.message;
  // Any other class is a bug of skulk, and its name helps a report of it.
  if (!isOfFiles(error)) {
    const reason = networkReasonOf(error);
    if (reason !== undefined) return `${doing}: ${reason}`;
    return `${doing}: ${error instanceof Error && error.name === 'Error' && error.message !== '' ? error.message : String(error)}`;
  }
  const path = pathOf(error) ?? error.path;
  return `${doing}: ${meaningOf(error)}${doing.includes(path) ? '' : ` (${path})`}`;
}

/** The message of an error, in words also if it comes from the system. */
export function reasonOf(error: unknown): string {
  const known = explainAnySystemError(error);
  return networkReasonOf(known) ?? (known instanceof Error ? known.message || known.name : String(known));
}

/** What the system calls that Node names in its errors do, in words. */
const verbs: Readonly<Record<string, string>> = {
  access: 'access',
  chmod: 'change the mode of',
  chown: 'change the owner of',
  copyfile: 'copy',
  fchmod: 'change the mode of',
  fdatasync: 'write',
  fstat: 'access',
  fsync: 'write',
  ftruncate: 'write',
  futime: 'change the time of',
  link: 'link',
  lstat: 'access',
  lutime: 'change the time of',
  mkdir: 'create the directory',
  mkdtemp: 'create the directory',
  open: 'open',
  opendir: 'read the directory',
  read: 'read',
  readlink: 'read the link',
  realpath: 'access',
  rename: 'rename',
  rm: 'remove',
  rmdir: 'remove the directory',
  scandir: 'read the directory',
  stat: 'access',
  statfs: 'access',
  symlink: 'link',
  truncate: 'write',
  unlink: 'remove',
  utime: 'change the time of',
  watch: 'watch',
  write: 'write',
};

/** The path of an error. A file that skulk renames when it is written has a name that tells nobody anything, so its directory is named. */
function pathOf(error: unknown): string | undefined {
  const { path } = error as { path?: unknown };
  if (typeof path !== 'string') return undefined;
  return /\.(?:tmp|new)$/.test(path) ? dirname(path) : path;
}

interface FileError extends Error {
  readonly path: string;
  readonly dest?: string;
  readonly syscall?: string;
  readonly errno?: number;
}

const isOfFiles = (error: unknown): error is FileError =>
  error instanceof Error && systemCode(error) !== undefined && 'path' in error && typeof error.path === 'string' && error.path !== '';

function meaningOf({ errno, message }: FileError): string {
  const description = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1];
  return description ?? (/^[^:]*: ([^,]+)/.exec(message)?.[1] || 'the system gives no details');
}

function sentenceFor(error: unknown): Sentence | undefined {
  const code = systemCode(error) ?? '';
  if (code === 'ENOSPC' && lacksInodes(error)) return noInodes;
  // Without a path, some of these codes come from the network.
  if (ofNetworks.has(code) && !isOfFiles(error)) return undefined;
  return Object.hasOwn(sentences, code) ? sentences[code] : undefined;
}

const ofNetworks: ReadonlySet<string> = new Set([
  'ECONNABORTED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ECONNREFUSED',
  'ECONNRESET',
]);

const making: ReadonlySet<string> = new Set(['open', 'mkdir', 'symlink', 'mkdtemp', 'copyfile', 'link', 'rename']);

/** Whether the disk has space left, but no inode. An inode may have become free since the failure. */
function lacksInodes(error: unknown): boolean {
  const { path, dest, syscall } = error as { path?: unknown; dest?: unknown; syscall?: unknown };
  const place = typeof dest === 'string' ? dest : path;
  if (typeof place !== 'string' || typeof syscall !== 'string' || !making.has(syscall)) return false;
  for (let at = place; ; at = dirname(at)) {
    try {
      const { files, ffree, bavail, bsize } = statfsSync(at);
      return files > 0 && (ffree === 0 || (ffree < 16 && bavail * bsize >= 64 * 1024));
    } catch {
      if (dirname(at) === at) return false;
    }
  }
}

/** Runs `work` and explains its disk failures with `explainSystemError`. */
export async function explainingDiskErrors<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainSystemError(error, doing);
  }
}
