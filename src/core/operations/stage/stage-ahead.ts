import { open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Deps } from '../../connect/deps.ts';
import type { DownloadName, Downloads } from '../../jobs/contract.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { patient, pause } from '../../kernel/flow/backoff.ts';
import { isHeld, tryLock } from '../../kernel/process/lock.ts';
import type { ArrivedChunk } from '../../protocol/downloads.ts';
import { copyLock, incomingCopy, type StagingLayout } from '../../staging/layout.ts';
import { makeRoot } from '../../staging/prepare-root.ts';
import { requireRoom } from '../../transfer/disk-room.ts';
import { fetchPieces, type WantedPiece } from '../../transfer/fetch-pieces.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';
import { openJournal, type PartJournal, readJournal } from '../../transfer/part-journal.ts';
import { pieceKey } from '../../transfer/pieces.ts';
import type { RateLimiter } from '../../transfer/rate-limiter.ts';
import { enterWorkPlace } from '../../transfer/work-place.ts';

/** How often a download is asked for its arrived parts, in milliseconds. */
const pollEveryMs = 250;
/** The number of chunks to copy before checking whether the download has ended. */
const batch = 8;

interface Piece extends WantedPiece {
  readonly chunk: ArrivedChunk;
  readonly number: number;
}

/**
 * Copies the available chunks of a model that the store is still downloading into the copy that is being built. Each chunk is verified
 * against the store's digest. The stage that follows only counts chunks that match the manifest, so errors here can do no damage; they
 * only reduce what is copied ahead.
 * @param hasEnded whether the download has ended
 */
export async function stageAhead(
  { world }: Deps,
  {
    download,
    downloads,
    layout,
    connections,
    limiter,
    hasEnded,
    onBytes,
  }: {
    /** The download to wait for. Other downloads of the model before it do not matter here. */
    readonly download: DownloadName;
    readonly downloads: Downloads;
    readonly layout: StagingLayout;
    readonly connections: number;
    readonly limiter: RateLimiter;
    readonly hasEnded: () => boolean;
    /** Called with the number of received bytes, even if it fails later. */
    readonly onBytes: (bytes: number) => void;
  },
): Promise<void> {
  const { signal } = world;
  const { modelId } = download;
  const { isTransient } = await import('../../client/http/transient.ts');
  await makeRoot(layout);
  // A process that holds the lock is already building the copy.
  const held = await tryLock(copyLock(layout, modelId), `skulk stage ${modelId}`);
  if (!isHeld(held)) return;
  await using _ = held;
  const incoming = incomingCopy(layout, modelId);
  const known = new Set(await readJournal(incoming.journal));
  // For a model that does not exist, no data arrives, and nothing must be left on the disk.
  let journal: PartJournal | undefined;
  await using _journal = { [Symbol.asyncDispose]: async () => journal?.[Symbol.asyncDispose]() };
  const sized = new Set<string>();
  let run: string | null = null;
  for (let from = 0; !hasEnded() && !signal.aborted; ) {
    const arrived = await downloads.arrived(download, from, signal);
    // A restarted store counts from zero.
    if (arrived.run !== run) {
      run = arrived.run;
      if (from > 0) {
        from = 0;
        continue;
      }
    }
    if (run === null || arrived.chunks.length === 0) {
      await pause(pollEveryMs, signal);
      continue;
    }
    await enterWorkPlace(
      incoming,
      arrived.chunks.slice(0, batch).map(({ path }) => path),
    );
    await makeDirectory(incoming.files);
    journal ??= await openJournal(incoming.journal);
    const { add } = journal;
    const taken = arrived.chunks.slice(0, batch);
    const pieces = taken
      .map((chunk, index): Piece => ({ ...chunk, chunk, number: arrived.from + index }))
      .filter((one) => !known.has(pieceKey(one.chunk)));
    await requireDistinctNames(layout.root, { paths: [...sized, ...pieces.map(({ chunk }) => chunk.path)], of: modelId });
    for (const { chunk } of pieces) if (!sized.has(chunk.path)) await makeFile(incoming.files, chunk, sized);
    const of = run;
    await fetchPieces<Piece>({
      pieces,
      directory: incoming.files,
      read: ({ chunk, number, start }, over) => downloads.readArrived(modelId, { run: of, number, chunk, skip: start - chunk.start }, over),
      isTransient,
      connections,
      limiter,
      policy: { ...patient, attempts: 2 },
      signal,
      onVerified: async ({ chunk }) => {
        await add(chunk);
        known.add(pieceKey(chunk));
      },
      onBytes,
      onDiscarded: () => undefined,
    });
    from = arrived.from + taken.length;
  }
}

/** Creates a sparse file in its full length. A file with a hard link to another copy is never written to. */
async function makeFile(directory: string, { path, file_size }: ArrivedChunk, sized: Set<string>): Promise<void> {
  const absolute = join(directory, path);
  await makeDirectory(dirname(absolute));
  const info = await stat(absolute).catch(() => undefined);
  if (info !== undefined && info.nlink > 1) await rm(absolute, { force: true });
  if (info === undefined || info.nlink > 1 || info.size !== file_size) {
    await requireRoom(directory, file_size, `staging ${path}`);
    const file = await open(absolute, 'a');
    await file.truncate(file_size).finally(() => file.close());
  }
  sized.add(path);
}
