import { link, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { placeOf } from './arrived-blocks.ts';
import { cloneFile } from './clone-file.ts';
import { blocksOf, type FilePiece, missingPieces } from './file-blocks.ts';
import type { FileDigest } from './hash-job.ts';
import { runHashJob } from './hash-pool.ts';
import type { PromisedFile } from './promised-file.ts';
import { verifyFile } from './verify-file.ts';

/** What is here of a file before its missing pieces are fetched. */
export type PreparedFile<F> =
  /** It was taken over, and has the promised content. */
  | { readonly state: 'verified'; readonly digest: FileDigest }
  /** It is in its place in its full length. Also when no piece is missing, it has not been checked as a whole. */
  | { readonly state: 'begun'; readonly missing: readonly FilePiece<F>[] };

/** A file on this machine that probably has the wanted content. */
export interface ReusableFile {
  readonly path: string;
  /** Nobody writes to it, so it need not be cloned. */
  readonly mayLink: boolean;
}

/** What `prepareFile` works with. */
export interface PrepareFileOptions<F> {
  readonly directory: string;
  /** What the journal of `readArrived` has. */
  readonly arrived: ReadonlyMap<string, Sha256>;
  readonly reuse: (file: F) => ReusableFile | undefined;
  /** Whether somebody else brings it already, to this very place. */
  readonly isGrowing?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Puts a file in its place in its full length, and finds what of it must be fetched: what an earlier process journalled is checked, and
 * a file on this machine with the same content is taken over.
 * @throws SkulkError NO_SPACE and what else the disk says
 */
export async function prepareFile<F extends PromisedFile>(file: F, options: PrepareFileOptions<F>): Promise<PreparedFile<F>> {
  const { directory, arrived, isGrowing = false, signal } = options;
  const path = join(directory, file.path);
  await makeDirectory(dirname(path));
  const sizeHere = await ownSize(path);
  const known = sizeHere === undefined ? [] : blocksOf(file).filter(({ start }) => arrived.has(placeOf(file, start)));
  if (known.length === 0 && !isGrowing) {
    const digest = await takeOver(file, path, options);
    if (digest !== undefined) return { state: 'verified', digest };
  }
  if (!isGrowing && (known.length === 0 || sizeHere !== file.size)) await createEmpty(path, file.size);
  const expected = known.map((block) => ({ ...block, sha256: arrived.get(placeOf(file, block.start)) as Sha256 }));
  const good = expected.length === 0 ? [] : await runHashJob({ kind: 'check', path, pieces: expected }, { signal });
  const kept = new Set(expected.filter((_, index) => good[index]).map(({ start }) => start));
  return { state: 'begun', missing: missingPieces(file, kept) };
}

/** The size of the file that may be written to here; what was linked to another copy must never be, and is removed. */
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

/** Puts a file of this machine in the place. @returns its digest; undefined, and nothing in the place, when its content is not the promised one */
async function takeOver<F extends PromisedFile>(
  file: F,
  path: string,
  { reuse, signal }: PrepareFileOptions<F>,
): Promise<FileDigest | undefined> {
  const from = reuse(file);
  // Of a file of which nothing is promised nobody could say that this is the same.
  if (from === undefined || file.id.kind === 'arrival') return undefined;
  await rm(path, { force: true });
  const isHere = await linkOrClone(from, path, signal);
  if (signal.aborted) throw signal.reason;
  const digest = isHere ? await verifyFile(file, path, signal) : undefined;
  if (digest === undefined) await rm(path, { force: true });
  return digest;
}

function linkOrClone(from: ReusableFile, path: string, signal: AbortSignal): Promise<boolean> {
  // The other name goes away when this model is published; should the link fail, e.g. over disks, a clone does.
  const linked = from.mayLink ? link(from.path, path) : Promise.reject(new Error('not linked'));
  return linked
    .catch(() => cloneFile(from.path, path, { signal }))
    .then(
      () => true,
      () => false,
    );
}
