import { join } from 'node:path';
import { chunkSize } from '../kernel/chunk-size.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { type ArrivalHash, createArrivalHash } from './arrival/arrival-hash.ts';
import { inspectArrived } from './arrival/check-arrived.ts';
import { type BlockNotes, placeOf } from './arrived-blocks.ts';
import type { FetchedFile, FetchFilesPlan } from './fetch-files-plan.ts';
import { type FetchPlan, fetchPieces } from './fetch-pieces.ts';
import type { FilePiece } from './file-blocks.ts';
import type { FilesProgress } from './files-progress.ts';
import type { FileDigest } from './hashing/hash-job.ts';
import { prepareFile } from './prepare-file.ts';
import type { PromisedFile } from './promised-file.ts';
import type { FilePart } from './share-bytes.ts';
import { syncFile } from './sync-file.ts';
import { watchParts } from './watch-parts.ts';

/** The state that the rounds of one `fetchFiles` share. */
export interface FetchWork<F extends PromisedFile> {
  readonly plan: FetchFilesPlan<F>;
  /** The journalled digest of each block; see `readArrived`. */
  readonly arrived: Map<string, Sha256>;
  readonly notes: BlockNotes<F>;
  readonly progress: FilesProgress<F>;
  readonly done: Map<F, FetchedFile>;
  /** The digest of each file's content that differed from the expected one. */
  readonly others: Map<F, Sha256>;
  /** The hashes of the files that are being fetched. */
  readonly hashes: Map<F, ArrivalHash>;
  bytesReadBack: number;
}

/** Whether other content is accepted if it arrives twice; see `ContentId`. */
export const isTentative = ({ id }: PromisedFile): boolean => id.kind !== 'parts' && id.kind !== 'arrival' && id.isTentative === true;

/**
 * Fetches the missing parts of files once, in pieces if the source supports it, and verifies each complete file.
 * @returns the files with wrong content
 * @throws SkulkError NO_SPACE, and the errors of the source
 */
export async function fetchRound<F extends PromisedFile>(work: FetchWork<F>, files: readonly F[]): Promise<readonly F[]> {
  const { plan, progress, done } = work;
  const pieces: FilePiece<F>[] = [];
  const wrong: F[] = [];
  const check = async (file: F): Promise<void> => {
    if (!(await checkWhole(work, file))) wrong.push(file);
  };
  for (const file of files) {
    if (plan.signal.aborted) throw plan.signal.reason;
    const missing = await prepare(work, file);
    pieces.push(...missing);
    if (missing.length === 0 && !done.has(file)) await check(file);
  }
  const rest = await fetchParts(work, pieces, check);
  // Pieces after the first refused one are fetched again.
  for (const { file, start } of rest) progress.fetchAgainFrom(file, start);
  if (rest.length > 0) await fetchWhole(work, rest, check);
  return wrong;
}

/** @returns the missing pieces of a file; empty if the file is complete */
async function prepare<F extends PromisedFile>(
  { plan, arrived, notes, progress, done, hashes }: FetchWork<F>,
  file: F,
): Promise<readonly FilePiece<F>[]> {
  const { directory, reuse, signal, sharing } = plan;
  const to = join(directory, file.path);
  const blocks = await sharing?.takeOver(file, to);
  for (const [start, sha256] of blocks ?? []) {
    arrived.set(placeOf(file, start), sha256);
    await notes.note(file, start, sha256);
  }
  const prepared = await prepareFile(file, { directory, arrived, reuse, isGrowing: blocks !== undefined, signal });
  if (prepared.state === 'begun') {
    sharing?.begun(file, to, prepared.missing);
    progress.begin(file, prepared.missing);
    if (prepared.missing.length > 0 && file.id.kind !== 'parts') hashes.set(file, hashWhileItArrives(file, to, prepared.missing));
    return prepared.missing;
  }
  progress.takenOver(file);
  done.set(file, fetchedFile(file, prepared.digest));
  return [];
}

/** Fetches pieces. @returns for each file whose source sends no parts, one piece with the rest of it */
async function fetchParts<F extends PromisedFile>(
  work: FetchWork<F>,
  pieces: readonly FilePiece<F>[],
  check: (file: F) => Promise<void>,
): Promise<readonly FilePiece<F>[]> {
  const { plan } = work;
  const parts = watchParts<F>();
  await fetchPieces<FilePiece<F>>({
    ...commonPlan(work, { whole: false, check }),
    pieces,
    isTransient: (error) => parts.isWorthAnotherTry(error) && plan.isTransient(error),
    isPostponed: parts.isPostponed,
    policy: plan.policy,
  });
  return parts.rest();
}

/** Fetches pieces that reach to the end of their file, from a source that only sends whole files. */
async function fetchWhole<F extends PromisedFile>(
  work: FetchWork<F>,
  pieces: readonly FilePiece<F>[],
  check: (file: F) => Promise<void>,
): Promise<void> {
  const { isTransient, policy } = work.plan;
  await fetchPieces<FilePiece<F>>({
    ...commonPlan(work, { whole: true, check }),
    pieces,
    isTransient,
    policy: { ...policy, attempts: Math.min(policy.attempts, triesOfWhole) },
  });
}

type CommonPlan<F> = Omit<FetchPlan<FilePiece<F>>, 'pieces' | 'isTransient' | 'isPostponed' | 'policy'>;

/** @param check called when the last piece of a file has arrived */
function commonPlan<F extends PromisedFile>(
  { plan, notes, progress, hashes }: FetchWork<F>,
  { whole, check }: { readonly whole: boolean; readonly check: (file: F) => Promise<void> },
): CommonPlan<F> {
  const { directory, connections, limiter, signal } = plan;
  return {
    directory,
    connections,
    limiter,
    signal,
    read: ({ file, start, end }, over) => {
      const read = (part: FilePart, signal: AbortSignal) => plan.read(file, { start: part.start, end: part.end, whole }, signal);
      const bytes = plan.sharing?.read(file, { start, end }, read, over) ?? read({ start, end }, over);
      return notes.noting(file, start, hashing(hashes.get(file), start, bytes));
    },
    // Several files and connections share this thread, so other threads do the hashing.
    digestOf: ({ file, start, end }) => notes.hashRange(file, start, end),
    onVerified: async (piece, sha256) => {
      const { file, path, start, end } = piece;
      const isLast = progress.landed(piece);
      if (start % chunkSize === 0 && (end - start === chunkSize || end === file.size)) plan.onPiece?.({ path, start, end, sha256 });
      if (isLast) await check(file);
    },
    onBytes: progress.arriving,
    onDiscarded: progress.discarded,
  };
}

/** Verifies a file whose last piece has arrived, and syncs it. @returns whether its content is accepted */
async function checkWhole<F extends PromisedFile>(work: FetchWork<F>, file: F): Promise<boolean> {
  const { plan, done, others, hashes } = work;
  const path = join(plan.directory, file.path);
  const hash = hashes.get(file);
  hashes.delete(file);
  const { digest, isRight } = await inspectArrived(file, path, {
    hash,
    signal: plan.signal,
    onReadBack: () => {
      work.bytesReadBack += file.size;
    },
  });
  work.bytesReadBack += hash?.bytesReadBack() ?? 0;
  // Transmission errors hardly ever produce the same content twice.
  const isOfSource = isRight || (isTentative(file) && others.get(file) === digest.sha256);
  if (!isOfSource) {
    others.set(file, digest.sha256);
    return false;
  }
  await syncFile(path);
  done.set(file, fetchedFile(isRight ? file : { ...file, id: { kind: 'arrival', value: '' } }, digest));
  plan.sharing?.verified(file);
  return true;
}

/** Hashes the bytes of a part as they are written. */
async function* hashing(hash: ArrivalHash | undefined, start: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let at = start;
  for await (const bytes of source) {
    yield bytes;
    // The consumer requests more, so these bytes have been written.
    await hash?.arrived(bytes, at);
    at += bytes.length;
  }
}

function hashWhileItArrives(file: PromisedFile, path: string, missing: readonly FilePart[]): ArrivalHash {
  const hash = createArrivalHash({ size: file.size, path: () => path, withGitId: file.id.kind === 'git' });
  let at = 0;
  for (const { start, end } of missing) {
    hash.found(at, start);
    at = end;
  }
  hash.found(at, file.size);
  return hash;
}

const fetchedFile = ({ path, id }: PromisedFile, { size, sha256, chunks }: FileDigest): FetchedFile => ({
  path,
  size,
  sha256,
  ...(chunks !== undefined && { chunks }),
  ...(id.kind !== 'parts' && id.kind !== 'arrival' && { hub_id: id.value }),
});

/** After this many tries without a new byte of a whole file, the source is given up. */
const triesOfWhole = 3;
