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
import { type BlockNotes, createBlockNotes, placeOf, readArrived } from './arrived-blocks.ts';
import { type FetchPlan, fetchPieces } from './fetch-pieces.ts';
import { blocksOf, type FilePiece } from './file-blocks.ts';
import { createFilesProgress, type FilesProgress } from './files-progress.ts';
import type { FileDigest } from './hash-job.ts';
import { openJournal } from './part-journal.ts';
import { prepareFile, type ReusableFile } from './prepare-file.ts';
import type { OnMeter } from './progress-meter.ts';
import type { PromisedFile } from './promised-file.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { ByteSharing, FilePart } from './share-bytes.ts';
import { syncFile } from './sync-file.ts';
import { watchParts } from './watch-parts.ts';

/** A file that is in its place, synced, and has the promised content. */
export interface FetchedFile extends FileDigest {
  readonly path: RelativePath;
  /** The id that was promised, where the content has it; absent of a file that was promised in parts, or not at all. */
  readonly hub_id?: string;
}

/** A chunk that came in one piece; its file is checked as a whole in the end. */
export interface ArrivedPiece {
  readonly path: RelativePath;
  readonly start: number;
  readonly end: number;
  readonly sha256: Sha256;
}

/** What `fetchFiles` works with. */
export interface FetchFilesPlan<F extends PromisedFile> {
  readonly files: readonly F[];
  readonly directory: string;
  readonly journal: string;
  /** Opens a part of a file. `whole`: for who does not send parts, so that all of the file is asked for and its beginning left out. */
  readonly read: (
    file: F,
    range: { readonly start: number; readonly end: number; readonly whole: boolean },
    signal: AbortSignal,
  ) => AsyncIterable<Uint8Array>;
  /** Where a file that probably has this content lies; it is taken over if it has. */
  readonly reuse: (file: F) => ReusableFile | undefined;
  readonly isTransient: (error: unknown) => boolean;
  readonly connections: number;
  readonly limiter: RateLimiter;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** The bytes of the files that are here never get fewer. */
  readonly onBytes: OnMeter;
  readonly onPiece?: (piece: ArrivedPiece) => void;
  /** Who else has to do with these files. */
  readonly sharing?: ByteSharing | undefined;
}

/** What became of it. */
export interface FetchedFiles {
  readonly files: readonly FetchedFile[];
  /** Bytes that came over the wire. */
  readonly bytesTransferred: number;
  /** Bytes that were read back from the disk for the digests of whole files. */
  readonly bytesReadBack: number;
}

/**
 * Fetches files in pieces, over several connections and several files at once, and checks each file as a whole as soon as its last
 * piece is there. Most of a large file is hashed by then; see `createArrivalHash`. A file with wrong content is fetched once more, or
 * twice where the promise is tentative. What came is journalled: after a kill
 * the pieces that are still right are not asked for again. Who does not send parts of files is asked for whole ones, each over one connection.
 * @throws SkulkError INTEGRITY when a file's content is wrong twice, NO_SPACE, the source's own errors
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
      for (const { start } of blocksOf(file)) arrived.delete(placeOf(file, start));
    }
  }
  return {
    files: files.map((file) => work.done.get(file)).filter((file) => file !== undefined),
    bytesTransferred: progress.bytesTransferred(),
    bytesReadBack: work.bytesReadBack,
  };
}

/** What the steps of one `fetchFiles` share. */
interface Work<F extends PromisedFile> {
  readonly plan: FetchFilesPlan<F>;
  /** The journalled digest of each block; see `readArrived`. */
  readonly arrived: Map<string, Sha256>;
  readonly notes: BlockNotes<F>;
  readonly progress: FilesProgress<F>;
  readonly done: Map<F, FetchedFile>;
  /** Content that came of a file and is not the promised one. */
  readonly others: Map<F, Sha256>;
  /** Of the files that are being fetched. */
  readonly hashes: Map<F, ArrivalHash>;
  bytesReadBack: number;
}

const isTentative = ({ id }: PromisedFile): boolean => id.kind !== 'parts' && id.kind !== 'arrival' && id.isTentative === true;

/** Fetches what is missing of files, in parts as long as these come. @returns the files whose content is wrong */
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
  // What came in parts behind the first that did not comes again.
  for (const { file, start } of rest) progress.fetchAgainFrom(file, start);
  if (rest.length > 0) await fetchWhole(work, rest, check);
  return wrong;
}

/** @returns the pieces of a file that are missing; none when the file is whole */
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

/** Fetches pieces. @returns what is left of the files of which no parts are sent, a piece for each */
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

/** Fetches pieces that reach to the end of their file from who sends whole files only. */
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

/** @param check called when the last piece of a file is there */
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
    // Several files and connections share this thread; what they brought is hashed on others.
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

/** Checks a file whose last piece is there, and syncs it. @returns whether its content counts */
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
  // Damage on the way is hardly ever the same twice.
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

/** Hashes the bytes of a part as they are written to their places. */
async function* hashing(hash: ArrivalHash | undefined, start: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let at = start;
  for await (const bytes of source) {
    yield bytes;
    // More is asked for, so these have been written.
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

/** Who sends nothing new of a whole file in so many tries is given up. */
const triesOfWhole = 3;

const wrongContent = ({ path }: PromisedFile): SkulkError =>
  new SkulkError('INTEGRITY', `${quote(path)} failed its checksum twice`, {
    hint: 'a proxy or this machine corrupts data; the file was discarded',
  });
