import { SkulkError, systemCode } from './errors.ts';

const sentences: Record<string, { code: 'PERMISSION' | 'NO_SPACE' | 'BAD_PATH' | 'INTEGRITY' | 'CONFLICT'; says: string; hint: string }> = {
  EACCES: { code: 'PERMISSION', says: 'permission denied', hint: 'check the owner and the mode of that path' },
  EPERM: { code: 'PERMISSION', says: 'operation not permitted', hint: 'check the owner and the mode of that path' },
  EROFS: { code: 'PERMISSION', says: 'the file system is read-only', hint: 'mount it writable, or choose another path' },
  ENOSPC: {
    code: 'NO_SPACE',
    says: 'no space left on the disk',
    hint: 'free some room and run the command again; verified bytes are kept',
  },
  EDQUOT: {
    code: 'NO_SPACE',
    says: 'the disk quota is used up',
    hint: 'free some room and run the command again; verified bytes are kept',
  },
  ENAMETOOLONG: { code: 'BAD_PATH', says: 'the name is too long for this file system', hint: 'use a shorter path' },
  ENOTDIR: { code: 'BAD_PATH', says: 'a part of the path is not a directory', hint: 'check the path' },
  ELOOP: { code: 'BAD_PATH', says: 'too many symbolic links', hint: 'check where the links lead' },
  EIO: { code: 'INTEGRITY', says: 'the disk reported an input/output error', hint: 'check the disk; the system log says more' },
  EBUSY: { code: 'CONFLICT', says: 'the system itself uses it', hint: 'something may be mounted there; unmount it' },
  ENOTEMPTY: { code: 'CONFLICT', says: 'something else writes there', hint: 'find out what, stop it, and run the command again' },
  ESTALE: { code: 'CONFLICT', says: 'the network disk has lost it', hint: 'mount that disk again' },
  EMFILE: { code: 'PERMISSION', says: 'too many open files', hint: 'raise the limit (ulimit -n)' },
  ENFILE: { code: 'PERMISSION', says: 'too many open files on this machine', hint: 'raise the limit of the system' },
};

/**
 * A disk failure that a person can mend, as a `SkulkError` that names what was being done; anything else as it is.
 * @param doing what was being done, as `"cannot write /path"`
 */
export function explainSystemError(error: unknown, doing: string): unknown {
  if (error instanceof SkulkError) return error;
  const sentence = sentences[systemCode(error) ?? ''];
  if (sentence === undefined) return error;
  const { path } = error as { path?: unknown };
  const where = typeof path === 'string' && !doing.includes(path) ? ` (${path})` : '';
  return new SkulkError(sentence.code, `${doing}: ${sentence.says}${where}`, { hint: sentence.hint, cause: error });
}

/** Runs `work`; a disk failure in it is explained by `explainSystemError`. */
export async function explainingDiskErrors<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainSystemError(error, doing);
  }
}
