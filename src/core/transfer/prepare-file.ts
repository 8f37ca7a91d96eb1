import { link, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { arrivedBlocks } from './arrived-blocks.ts';
import { cloneFile } from './clone-file.ts';
import { type FilePiece, missingPieces } from './file-blocks.ts';
import type { FileDigest } from './hashing/hash-job.ts';
import { runHashJob } from './hashing/hash-pool.ts';
import type { PromisedFile } from './promised-file.ts';
import { verifyFile } from './verify-file.ts';

/** The state of a file before its missing pieces are fetched. */
export type PreparedFile<F> =
  /** An existing file was reused, and has the expected content. */
  | { readonly state: 'verified'; readonly digest: FileDigest }
  /** It exists in its full length, but has not been verified as a whole, even if no piece is missing. */
  | { readonly state: 'begun'; readonly missing: readonly FilePiece<F>[] };

/** A file on this machine that probably has the wanted content. */
export interface ReusableFile {
  readonly path: string;
  /** Nothing writes to it, so a hard link is safe instead of a clone. */
  readonly mayLink: boolean;
}

/** The input of `prepareFile`. */
export interface PrepareFileOptions<F> {
  readonly directory: string;
  /** The result of `readArrived`. */
  readonly arrived: ReadonlyMap<string, Sha256>;
  readonly reuse: (file: F) => ReusableFile | undefined;
  /** Whether something else already writes this file at this path. */
  readonly isGrowing?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Creates a file in its full length, and finds its missing pieces. Checks the pieces that an earlier process journalled, and reuses a
 * file on this machine with the same content.
 * @throws SkulkError NO_SPACE and other disk errors
 */
export async function prepareFile<F extends PromisedFile>(file: F, options: PrepareFileOptions<F>): Promise<PreparedFile<F>> {
  const { directory, arrived, isGrowing = false, signal } = options;
  const path = join(directory, file.path);
  await makeDirectory(dirname(path));
  const sizeHere = await ownSize(path);
  const known = sizeHere === undefined ? [] : arrivedBlocks(file, arrived);
  if (known.length === 0 && !isGrowing) {
    const digest = await takeOver(file, path, options);
    if (digest !== undefined) return { state: 'verified', digest };
  }
  if (!isGrowing && (known.length === 0 || sizeHere !== file.size)) await createEmpty(path, file.size);
  const good = known.length === 0 ? [] : await runHashJob({ kind: 'check', path, pieces: known }, { signal });
  const kept = new Set(known.filter((_, index) => good[index]).map(({ start }) => start));
  return { state: 'begun', missing: missingPieces(file, kept) };
}

/** The size of a file that may be overwritten. A file with a hard link to another copy must never be overwritten, so it is removed. */
async function ownSize(path: string): Promise<number | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || info.nlink <= 1) return info?.size;
  await rm(path, { force: true });
  return undefined;
}

async function createEmpty(path: string, size: number): Promise<void> {
  await rm(path, { force: true });
  const created = await open(path, 'wx');
  await created.truncate(size).finally(() => created.close());
}

/** Puts an existing file of this machine at the path. @returns its digest; undefined, with nothing at the path, if its content is wrong */
async function takeOver<F extends PromisedFile>(
  file: F,
  path: string,
  { reuse, signal }: PrepareFileOptions<F>,
): Promise<FileDigest | undefined> {
  const from = reuse(file);
  // Without an expected digest, equal content cannot be confirmed.
  if (from === undefined || file.id.kind === 'arrival') return undefined;
  await rm(path, { force: true });
  const isHere = await linkOrClone(from, path, signal);
  if (signal.aborted) throw signal.reason;
  const digest = isHere ? await verifyFile(file, path, signal) : undefined;
  if (digest === undefined) await rm(path, { force: true });
  return digest;
}

function linkOrClone(from: ReusableFile, path: string, signal: AbortSignal): Promise<boolean> {
  // The other name disappears when this model is published. If the link fails, e.g. across disks, the file is cloned.
  const linked = from.mayLink ? link(from.path, path) : Promise.reject(new Error('not linked'));
  return linked
    .catch(() => cloneFile(from.path, path, { signal }))
    .then(
      () => true,
      () => false,
    );
}
