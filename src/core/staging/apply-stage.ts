import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { patient } from '../kernel/flow/backoff.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { PiecesPlan } from '../store/contract.ts';
import { requireRoom } from '../transfer/disk-room.ts';
import { openJournal, readJournal, readParts } from '../transfer/part-journal.ts';
import { type Piece, pieceKey } from '../transfer/pieces.ts';
import { createProgressMeter, type OnMeter } from '../transfer/progress-meter.ts';
import type { RateLimiter } from '../transfer/rate-limiter.ts';
import { removeTree } from '../transfer/trash/remove-tree.ts';
import { enterWorkPlace, removeWorkPlace } from '../transfer/work-place.ts';
import { copyPath, type IncomingCopy, incomingCopy } from './layout.ts';
import { type StagePlan, sizeOf } from './plan-stage.ts';
import { prepareFile } from './prepare-file.ts';
import { requireOneDisk } from './prepare-root.ts';
import { type PublishTools, publishCopy } from './publish-copy.ts';
import { sweepTrash } from './sweep-trash.ts';

/** The input of `applyStage`. */
export interface StageTools extends PublishTools {
  /** Fetches pieces from the store into their files. */
  readonly fetch: (plan: Omit<PiecesPlan, 'connections'>) => Promise<void>;
  readonly limiter: RateLimiter;
  /** Called with the number of bytes of the copy that are here and verified. */
  readonly onBytes: OnMeter;
}

/** The result of a stage. */
export interface StageOutcome {
  readonly path: string;
  /** Bytes transferred from the store, including repeated ones. */
  readonly bytesTransferred: number;
}

/**
 * Builds the copy in `incoming/` and publishes it with one rename. However it ends, either the complete old copy or no copy is there, and
 * verified data is kept for the next try. The caller holds the copy's lock.
 * @throws SkulkError NO_SPACE before a byte is fetched, INTEGRITY if wrong bytes persist, the source's own errors
 */
export async function applyStage(plan: StagePlan, tools: StageTools): Promise<StageOutcome> {
  const { layout, signal } = tools;
  const { manifest } = plan;
  const incoming = incomingCopy(layout, manifest.model_id);
  const old = copyPath(layout, manifest.model_id);
  // A killed process may have left the copy that it replaced.
  await sweepTrash(layout, signal);
  await enterWorkPlace(
    incoming,
    manifest.files.map(({ path }) => path),
  );
  await makeDirectory(incoming.files);
  await requireOneDisk(layout, incoming.files);
  const present = await removeStrangers(incoming, manifest);
  try {
    await requireRoom(layout.root, await bytesStillToAllocate(plan, incoming, present), `staging ${manifest.model_id}`);
  } catch (error) {
    // Nothing was fetched, so nothing is unfinished.
    if (present.size === 0) await removeWorkPlace(incoming);
    throw error;
  }

  const meter = createProgressMeter(plan.bytesTotal, tools.onBytes);

  let bytesTransferred = 0;
  {
    const parts = readParts(await readJournal(incoming.journal));
    const started = new Set<string>();
    for (const key of parts.keys()) started.add((JSON.parse(key) as [string])[0]);
    await using journal = await openJournal(incoming.journal);
    await makeDirectories(incoming, manifest);
    const prepared = await mapConcurrently(plan.files, maxOpenFiles, async (source) => {
      if (signal.aborted) throw signal.reason;
      const { missing, here } = await prepareFile(source, { old, incoming, signal, started, present });
      meter.here(sizeOf(here));
      // The old copy may be gone at the next try. Data taken from it must not have to be fetched then.
      const known = new Set(source.action === 'fetch' ? source.resumed : []);
      for (const piece of here) if (!known.has(piece)) await journal.add(piece);
      return missing;
    });
    const toFetch: readonly Piece[] = prepared.flat();
    await tools.fetch({
      pieces: toFetch,
      directory: incoming.files,
      limiter: tools.limiter,
      policy: patient,
      signal,
      onVerified: async (piece) => {
        await journal.add(piece);
        meter.landed(piece.end - piece.start);
      },
      partOf: (piece) => parts.get(pieceKey(piece)) ?? 0,
      onPart: (piece, bytes) => journal.addPart(piece, bytes),
      onResumed: meter.arriving,
      onBytes: (bytes) => {
        bytesTransferred += bytes;
        meter.arriving(bytes);
      },
      onDiscarded: meter.discarded,
    });
  }
  await publishCopy(manifest, incoming, tools);
  return { path: old, bytesTransferred };
}

async function makeDirectories(incoming: IncomingCopy, { files }: Manifest): Promise<void> {
  const directories = new Set(files.map(({ path }) => dirname(path)).filter((path) => path !== '.'));
  for (const directory of directories) await makeDirectory(join(incoming.files, directory));
}

/** Removes files of an earlier try for another revision. @returns the paths of the files that belong to this copy */
async function removeStrangers(incoming: IncomingCopy, manifest: Manifest): Promise<ReadonlySet<string>> {
  const present = new Set<string>();
  const files = new Set<string>();
  const directories = new Set<string>();
  for (const { path } of manifest.files) {
    files.add(path);
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) directories.add(path.slice(0, end));
  }
  for (const item of await readdir(incoming.files, { recursive: true, withFileTypes: true })) {
    const absolute = join(item.parentPath, item.name);
    const path = absolute.slice(incoming.files.length + 1);
    // Also a directory in the place of a file, and a link that skulk did not create.
    if (item.isDirectory() ? !directories.has(path) : !files.has(path) || !item.isFile()) await removeTree(absolute);
    else if (item.isFile()) present.add(path);
  }
  return present;
}

/**
 * The space that the disk must still provide: the bytes to fetch or copy, minus the blocks that an earlier try already has.
 * @param present the paths in the unfinished copy that may be used
 */
export async function bytesStillToAllocate({ files }: StagePlan, incoming: IncomingCopy, present: ReadonlySet<string>): Promise<number> {
  let bytes = 0;
  for (const source of files) {
    if (source.action === 'reuse') continue;
    const { file, fetch, copied } = source;
    const info = present.has(file.path) ? await stat(join(incoming.files, file.path)).catch(() => undefined) : undefined;
    if (info === undefined) bytes += file.size;
    else bytes += Math.min(sizeOf(fetch) + sizeOf(copied), Math.max(0, file.size - info.blocks * 512));
  }
  return bytes;
}
