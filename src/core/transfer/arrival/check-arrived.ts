import type { FileDigest } from '../hash-job.ts';
import type { PromisedFile } from '../promised-file.ts';
import { isPromised, verifyFile } from '../verify-file.ts';
import type { ArrivalHash } from './arrival-hash.ts';

/**
 * Compares a file that has arrived with what is promised.
 * @param hash what has hashed it meanwhile; without one, or where that could not do it, the file is read back as a whole
 * @param onReadBack told when it is read back as a whole
 * @returns its digest; undefined when its content is another one
 * @throws the signal's reason; the file system's error
 */
export async function checkArrived(
  file: PromisedFile,
  path: string,
  { hash, signal, onReadBack }: { readonly hash: ArrivalHash | undefined; readonly signal: AbortSignal; readonly onReadBack?: () => void },
): Promise<FileDigest | undefined> {
  const digest = hash === undefined ? undefined : await finish(hash, signal);
  if (digest !== undefined) return (await isPromised(file, path, digest, signal)) ? digest : undefined;
  onReadBack?.();
  return verifyFile(file, path, signal);
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
