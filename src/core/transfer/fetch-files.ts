import { link, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chunkSize } from '../kernel/chunk-size.ts';
import { SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { quote, type RelativePath } from '../kernel/files/relative-path.ts';
import type { RetryPolicy } from '../kernel/flow/backoff.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import { createBlockNotes, placeOf, readArrived } from './arrived-blocks.ts';
import { cloneFile } from './clone-file.ts';
import { fetchPieces } from './fetch-pieces.ts';
import { blocksOf, type FilePiece, missingPieces } from './file-blocks.ts';
import type { FileDigest } from './hash-job.ts';
import { runHashJob } from './hash-pool.ts';
import { openJournal } from './part-journal.ts';
import { createProgressMeter } from './progress-meter.ts';
import type { PromisedFile } from './promised-file.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { syncFile } from './sync-file.ts';
import { watchParts } from './watch-parts.ts';

/** A file that is in its place, synced, and has the promised content. */
export interface FetchedFile extends FileDigest {
  readonly path: RelativePath;
  /** The id that was promised; absent of a file that was promised in parts. */
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
  /**
   * Where a file that probably has this content lies; it is taken over if it has. `mayLink`: nobody writes to it, so that it need not be
   * cloned.
   */
  readonly reuse: (file: F) => { readonly path: string; readonly mayLink: boolean } | undefined;
  readonly isTransient: (error: unknown) => boolean;
  readonly connections: number;
  readonly limiter: RateLimiter;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** Bytes of the files that are here, of all. Never falls. */
  readonly onBytes: (done: number, total: number) => void;
  readonly onPiece?: (piece: ArrivedPiece) => void;
}

/** What became of it. */
export interface FetchedFiles {
  readonly files: readonly FetchedFile[];
  /** Bytes that came over the wire. */
  readonly bytesTransferred: number;
}

/**
 * Fetches files in pieces, over several connections and several files at once, and checks each file as a whole, read back from
 * the disk, as soon as its last piece is there. A file with wrong content is fetched once more. What came is journalled: after a kill
 * the pieces that are still right are not asked for again. Who does not send parts of files is asked for whole ones, each over one connection.
 * @throws SkulkError INTEGRITY when a file's content is wrong twice, NO_SPACE, the source's own errors
 */
export async function fetchFiles<F extends PromisedFile>(plan: FetchFilesPlan<F>): Promise<FetchedFiles> {
  const { directory, signal } = plan;
  const total = plan.files.reduce((sum, { size }) => sum + size, 0);
  const arrived = await readArrived(plan.journal);
  const done = new Map<F, FetchedFile>();
  const meter = createProgressMeter(total, plan.onBytes);
  let bytesTransferred = 0;
  await makeDirectory(directory);
  await using journal = await openJournal(plan.journal);
  const notes = createBlockNotes<F>(journal, { directory, signal });
  const outstanding = new Map<F, number>();
  /** The bytes of each file that the meter has as here. */
  const counted = new Map<F, number>();

  /** Looks at what is here of a file. @returns the pieces that are missing; none when the file is whole */
  const prepare = async (file: F): Promise<readonly FilePiece<F>[]> => {
    const path = join(directory, file.path);
    await makeDirectory(dirname(path));
    let info = await stat(path).catch(() => undefined);
    // What was linked to another copy must never be written to.
    if (info !== undefined && info.nlink > 1) {
      await rm(path, { force: true });
      info = undefined;
    }
    const known = info === undefined ? [] : blocksOf(file).filter(({ start }) => arrived.has(placeOf(file, start)));
    if (known.length === 0 && (await takeOver(file, path))) return [];
    if (known.length === 0 || info?.size !== file.size) {
      await rm(path, { force: true });
      const created = await open(path, 'wx');
      await created.truncate(file.size).finally(() => created.close());
    }
    const expected = known.map((block) => ({ ...block, sha256: arrived.get(placeOf(file, block.start)) as Sha256 }));
    const good = expected.length === 0 ? [] : await runHashJob({ kind: 'check', path, pieces: expected }, { signal });
    const kept = new Set(expected.filter((_, index) => good[index]).map(({ start }) => start));
    const missing = missingPieces(file, kept);
    counted.set(file, file.size - missing.reduce((sum, { start, end }) => sum + end - start, 0));
    meter.here(counted.get(file) ?? 0);
    outstanding.set(file, missing.length);
    return missing;
  };

  const takeOver = async (file: F, path: string): Promise<boolean> => {
    const from = plan.reuse(file);
    if (from === undefined) return false;
    await rm(path, { force: true });
    // The other name goes away when this model is published; should the link fail, e.g. over disks, a clone does.
    const linked = from.mayLink ? link(from.path, path) : Promise.reject(new Error('not linked'));
    const isHere = await linked
      .catch(() => cloneFile(from.path, path, { signal }))
      .then(
        () => true,
        () => false,
      );
    if (signal.aborted) throw signal.reason;
    const digest = isHere ? await digestOf(file, path) : undefined;
    if (digest === undefined || !(await isPromised(file, path, digest))) {
      await rm(path, { force: true });
      return false;
    }
    meter.here(file.size);
    finish(file, digest);
    return true;
  };

  const digestOf = (file: F, path: string): Promise<FileDigest> =>
    runHashJob({ kind: 'digest', path, withGitId: file.id.kind === 'git' }, { signal });
  const finish = (file: F, { size, sha256, chunks }: FileDigest): void =>
    void done.set(file, {
      path: file.path,
      size,
      sha256,
      ...(chunks !== undefined && { chunks }),
      ...(file.id.kind !== 'parts' && { hub_id: file.id.value }),
    });

  /** @returns whether the file has the promised content */
  const checkWhole = async (file: F): Promise<boolean> => {
    const path = join(directory, file.path);
    const digest = await digestOf(file, path);
    if (!(await isPromised(file, path, digest))) return false;
    await syncFile(path);
    finish(file, digest);
    return true;
  };

  const isPromised = async ({ size, id }: F, path: string, digest: FileDigest): Promise<boolean> => {
    if (digest.size !== size) return false;
    if (id.kind !== 'parts') return (id.kind === 'sha256' ? digest.sha256 : digest.gitId) === id.value;
    return (await runHashJob({ kind: 'check', path, pieces: id.parts }, { signal })).every(Boolean);
  };

  let wanted = plan.files;
  for (let round = 1; wanted.length > 0; round += 1) {
    const pieces: FilePiece<F>[] = [];
    const bad: F[] = [];
    for (const file of wanted) {
      if (signal.aborted) throw signal.reason;
      const missing = await prepare(file);
      pieces.push(...missing);
      if (missing.length === 0 && !done.has(file) && !(await checkWhole(file))) bad.push(file);
    }
    const parts = watchParts<F>();
    const fetchAll = (pieces: readonly FilePiece<F>[], how: 'parts' | 'whole'): Promise<void> =>
      fetchPieces<FilePiece<F>>({
        pieces,
        directory,
        read: ({ file, start, end }, over) => notes.noting(file, start, plan.read(file, { start, end, whole: how === 'whole' }, over)),
        // Several files and connections share this thread; what they brought is hashed on others.
        digestOf: ({ file, start, end }) => notes.hashRange(file, start, end),
        isTransient: (error) => (how === 'parts' ? parts.isWorthAnotherTry(error) : true) && plan.isTransient(error),
        isPostponed: how === 'parts' ? parts.isPostponed : undefined,
        connections: plan.connections,
        limiter: plan.limiter,
        policy: how === 'parts' ? plan.policy : { ...plan.policy, attempts: Math.min(plan.policy.attempts, triesOfWhole) },
        signal,
        onVerified: async ({ file, path, start, end }, sha256) => {
          meter.landed(end - start);
          counted.set(file, (counted.get(file) ?? 0) + end - start);
          if (start % chunkSize === 0 && (end - start === chunkSize || end === file.size)) plan.onPiece?.({ path, start, end, sha256 });
          const left = (outstanding.get(file) ?? 1) - 1;
          outstanding.set(file, left);
          if (left === 0 && !(await checkWhole(file))) bad.push(file);
        },
        onBytes: (bytes) => {
          bytesTransferred += bytes;
          meter.arriving(bytes);
        },
        onDiscarded: meter.discarded,
      });
    await fetchAll(pieces, 'parts');
    const rest = parts.rest();
    for (const { file, start } of rest) {
      // What came in parts behind the first that did not comes again.
      meter.here(start - (counted.get(file) ?? 0));
      counted.set(file, start);
      outstanding.set(file, 1);
    }
    if (rest.length > 0) await fetchAll(rest, 'whole');
    for (const file of bad) {
      await rm(join(directory, file.path), { force: true });
      if (round > 1) throw wrongContent(file);
      meter.here(-file.size);
      for (const { start } of blocksOf(file)) arrived.delete(placeOf(file, start));
    }
    wanted = bad;
  }
  return { files: plan.files.map((file) => done.get(file)).filter((file) => file !== undefined), bytesTransferred };
}

/** Who sends nothing new of a whole file in so many tries is given up. */
const triesOfWhole = 3;

const wrongContent = ({ path }: PromisedFile): SkulkError =>
  new SkulkError('INTEGRITY', `${quote(path)} came twice, and both times its content was not the one that is promised`, {
    hint: 'a proxy or this machine changes bytes; nothing of it was kept',
  });
