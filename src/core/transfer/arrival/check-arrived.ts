import type { FileDigest } from '../hash-job.ts';
import type { PromisedFile } from '../promised-file.ts';
import { inspectFile, isPromised } from '../verify-file.ts';
import type { ArrivalHash } from './arrival-hash.ts';

/** How a file that has arrived is looked at. */
interface ArrivedOptions {
  /** What has hashed it meanwhile; without one, or where that could not do it, the file is read back as a whole. */
  readonly hash: ArrivalHash | undefined;
  readonly signal: AbortSignal;
  /** Told when it is read back as a whole. */
  readonly onReadBack?: () => void;
}

/**
 * Compares a file that has arrived with what is promised.
 * @returns its digest; undefined when its content is another one
 * @throws the signal's reason; the file system's error
 */
export async function checkArrived(file: PromisedFile, path: string, options: ArrivedOptions): Promise<FileDigest | undefined> {
  const { digest, isRight } = await inspectArrived(file, path, options);
  return isRight ? digest : undefined;
}

/** The same, with the digest of whatever content it has. */
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
