import type { FileDigest } from './hashing/hash-job.ts';
import { runHashJob } from './hashing/hash-pool.ts';
import type { PromisedFile } from './promised-file.ts';

/**
 * Reads a whole file back from the disk and compares it with its expected content.
 * @returns its digest; undefined if its content is different
 */
export async function verifyFile(file: PromisedFile, path: string, signal: AbortSignal): Promise<FileDigest | undefined> {
  const { digest, isRight } = await inspectFile(file, path, signal);
  return isRight ? digest : undefined;
}

/** Reads a whole file back from the disk, and reports whether it has the expected content. */
export async function inspectFile(
  file: PromisedFile,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly digest: FileDigest; readonly isRight: boolean }> {
  const digest = await runHashJob({ kind: 'digest', path, withGitId: file.id.kind === 'git' }, { signal });
  return { digest, isRight: await isPromised(file, path, digest, signal) };
}

/** Whether a file has the expected content. @param digest its digest */
export async function isPromised({ size, id }: PromisedFile, path: string, digest: FileDigest, signal: AbortSignal): Promise<boolean> {
  if (digest.size !== size) return false;
  if (id.kind === 'arrival') return true;
  if (id.kind !== 'parts') return (id.kind === 'sha256' ? digest.sha256 : digest.gitId) === id.value;
  return (await runHashJob({ kind: 'check', path, pieces: id.parts }, { signal })).every(Boolean);
}
