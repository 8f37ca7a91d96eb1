import type { FileDigest } from '../hashing/hash-job.ts';
import type { PromisedFile } from '../promised-file.ts';
import { inspectFile, isPromised } from '../verify-file.ts';
import type { ArrivalHash } from './arrival-hash.ts';

/** How to check a file that has arrived. */
interface ArrivedOptions {
  /** The hash made while the file arrived. If it is absent or could not finish, the whole file is read back. */
  readonly hash: ArrivalHash | undefined;
  readonly signal: AbortSignal;
  /** Called when the whole file is read back. */
  readonly onReadBack?: () => void;
}

/**
 * Compares a file that has arrived with its expected content.
 * @returns its digest; undefined if its content is different
 * @throws the signal's reason; the file system's error
 */
export async function checkArrived(file: PromisedFile, path: string, options: ArrivedOptions): Promise<FileDigest | undefined> {
  const { digest, isRight } = await inspectArrived(file, path, options);
  return isRight ? digest : undefined;
}

/** Like `checkArrived`, but returns the digest also if the content is different. */
export async function inspectArrived(
  file: PromisedFile,
  path: string,
  { hash, signal, onReadBack }: ArrivedOptions,
): Promise<{ readonly digest: FileDigest; readonly isRight: boolean }> {
  const digest = hash === undefined ? undefined : await finish(hash, signal);
  if (digest !== undefined) return { digest, isRight: await isPromised(file, path, digest, signal) };
  onReadBack?.();
  return inspectFile(file, path, signal);
}

async function finish(hash: ArrivalHash, signal: AbortSignal): Promise<FileDigest | undefined> {
  const stop = (): void => hash[Symbol.dispose]();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const digest = await hash.finish();
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return digest;
}
