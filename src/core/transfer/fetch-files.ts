import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chunkSize } from '../kernel/chunk-size.ts';
import { SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { quote, type RelativePath } from '../kernel/files/relative-path.ts';
import type { RetryPolicy } from '../kernel/flow/backoff.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { type ArrivalHash, createArrivalHash } from './arrival/arrival-hash.ts';
import { inspectArrived } from './arrival/check-arrived.ts';
import { arrivedBlocks, type BlockNotes, createBlockNotes, placeOf, readArrived } from './arrived-blocks.ts';
import { type FetchPlan, fetchPieces } from './fetch-pieces.ts';
import type { FilePiece } from './file-blocks.ts';
import { createFilesProgress, type FilesProgress } from './files-progress.ts';
import type { FileDigest } from './hashing/hash-job.ts';
import { openJournal } from './part-journal.ts';
import { prepareFile, type ReusableFile } from './prepare-file.ts';
import type { OnMeter } from './progress-meter.ts';
import type { PromisedFile } from './promised-file.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { ByteSharing, FilePart } from './share-bytes.ts';
import { syncFile } from './sync-file.ts';
import { watchParts } from './watch-parts.ts';

/** A complete, synced file with the expected content. */
export interface FetchedFile extends FileDigest {
  readonly path: RelativePath;
  /** The expected id, if the content has it; absent for a file with an expected digest per part, or with none. */
  readonly hub_id?: string;
}

/** A chunk that arrived in one piece. Its file is verified as a whole at the end. */
export interface ArrivedPiece {
  readonly path: RelativePath;
  readonly start: number;
  readonly end: number;
  readonly sha256: Sha256;
}

/** The input of `fetchFiles`. */
export interface FetchFilesPlan<F extends PromisedFile> {
  readonly files: readonly F[];
  readonly directory: string;
  readonly journal: string;
  /** Opens a part of a file. `whole`: the source does not send parts, so the whole file is requested and its beginning skipped. */
  readonly read: (
    file: F,
    range: { readonly start: number; readonly end: number; readonly whole: boolean },
    signal: AbortSignal,
  ) => AsyncIterable<Uint8Array>;
  /** Finds a file that probably has this content. It is reused if it does. */
  readonly reuse: (file: F) => ReusableFile | undefined;
  readonly isTransient: (error: unknown) => boolean;
  readonly connections: number;
  readonly limiter: RateLimiter;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** The reported number of bytes never decreases. */
  readonly onBytes: OnMeter;
  readonly onPiece?: (piece: ArrivedPiece) => void;
  /** Others that read or fetch these files. */
  readonly sharing?: ByteSharing | undefined;
}

/** The result of `fetchFiles`. */
export interface FetchedFiles {
  readonly files: readonly FetchedFile[];
  /** Bytes transferred over the network. */
  readonly bytesTransferred: number;
  /** Bytes read back from the disk to hash whole files. */
  readonly bytesReadBack: number;
}

/**
 * Fetches files in pieces, over several connections and several files at once. Verifies each file as a whole as soon as its last piece
 * has arrived; most of a large file is hashed by then (see `createArrivalHash`). Fetches a file with wrong content once more, or twice if
 * its digest is tentative. Arrived pieces are journalled: after a kill, valid pieces are not requested again. If the source does not send
 * parts of files, whole files are requested, each over one connection.
 * @throws SkulkError INTEGRITY if a file's content is wrong twice, NO_SPACE, the source's own errors
 */
export async function fetchFiles<F extends PromisedFile>(plan: FetchFilesPlan<F>): Promise<FetchedFiles> {
  const { files, directory, signal } = plan;
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const arrived = await readArrived(plan.journal);
  const progress = createFilesProgress<F>(total, plan.onBytes);
  await makeDirectory(directory);
  await using journal = await openJournal(plan.journal);
  const notes = createBlockNotes<F>(journal, { directory, signal });
  const work: Work<F> = { plan, arrived, notes, progress, done: new Map(), others: new Map(), hashes: new Map(), bytesReadBack: 0 };
  using _hashes = {
    [Symbol.dispose]: () => {
      for (const hash of work.hashes.values()) hash[Symbol.dispose]();
    },
  };
  let wanted = files;
  for (let round = 1; wanted.length > 0; round += 1) {
    wanted = await fetchOnce(work, wanted);
    for (const file of wanted) {
      await rm(join(directory, file.path), { force: true });
      plan.sharing?.discard(file);
      if (round > (isTentative(file) ? 2 : 1)) throw wrongContent(file);
      progress.wrong(file);
      for (const { start } of arrivedBlocks(file, arrived)) arrived.delete(placeOf(file, start));
    }
  }
  return {
    files: files.map((file) => work.done.get(file)).filter((file) => file !== undefined),
    bytesTransferred: progress.bytesTransferred(),
    bytesReadBack: work.bytesReadBack,
  };
}

/** The state that the steps of one `fetchFiles` share. */
interface Work<F extends PromisedFile> {
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

const isTentative = ({ id }: PromisedFile): boolean => id.kind !== 'parts' && id.kind !== 'arrival' && id.isTentative === true;

/** Fetches the missing parts of files, in pieces if the source supports it. @returns the files with wrong content */
async function fetchOnce<F extends PromisedFile>(work: Work<F>, files: readonly F[]): Promise<readonly F[]> {
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
  { plan, arrived, notes, progress, done, hashes }: Work<F>,
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
  work: Work<F>,
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
  work: Work<F>,
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
  { plan, notes, progress, hashes }: Work<F>,
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
async function checkWhole<F extends PromisedFile>(work: Work<F>, file: F): Promise<boolean> {
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

const wrongContent = ({ path }: PromisedFile): SkulkError =>
  new SkulkError('INTEGRITY', `${quote(path)} failed its checksum twice`, {
    hint: 'a proxy or this machine corrupts data; the file was discarded',
  });
