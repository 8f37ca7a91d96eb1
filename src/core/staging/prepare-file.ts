import { type FileHandle, link, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../kernel/errors.ts';
import type { ManifestFile } from '../protocol/manifest.ts';
import { cloneFile } from '../transfer/clone-file.ts';
import { runHashJob } from '../transfer/hashing/hash-pool.ts';
import { type Piece, splitIntoPieces } from '../transfer/pieces.ts';
import type { IncomingCopy } from './layout.ts';
import { type FileSource, sizeOf } from './plan-stage.ts';

/** A file of the copy that is being built, in its full length. */
export interface PreparedFile {
  /** Pieces still to be fetched, in order. */
  readonly missing: readonly Piece[];
  /** Pieces that are here and verified, or in a verified file. */
  readonly here: readonly Piece[];
}

/** Options of `prepareFile`. */
export interface PrepareOptions {
  /** The directory of the existing copy. */
  readonly old: string;
  readonly incoming: IncomingCopy;
  /** The files with a partially received piece. */
  readonly started: ReadonlySet<string>;
  /** The files that an earlier try left. */
  readonly present: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** Puts the existing data of a file in its place, in an existing directory, and returns the missing pieces. */
export async function prepareFile(source: FileSource, options: PrepareOptions): Promise<PreparedFile> {
  if (source.action === 'reuse') return reuseFile(source, options);
  const { file, fetch, resumed, copied } = source;
  const { old, incoming, started, present, signal } = options;
  const path = join(incoming.files, file.path);
  if (!present.has(file.path) && resumed.length + copied.length === 0) {
    // A file of one piece is created when the piece is written.
    if (fetch.length > 1) await makeFile(path, file.size);
    return { missing: fetch, here: [] };
  }
  const good = await keepGoodPieces(path, file, resumed, { isStarted: started.has(file.path), signal });
  // The journal may list pieces that are gone but still in the old copy.
  const wanted = [...copied, ...resumed.filter((piece) => !good.has(piece))];
  const fromOld = await goodPieces(join(old, file.path), wanted, signal).catch(() => []);
  // A whole file may be hard-linked to that of another copy, whose date must not change.
  if (fromOld.length > 0 || (await sizeAt(path)) !== file.size)
    await fill(path, file.size, { from: join(old, file.path), pieces: fromOld });
  // Copied pieces were verified at their source. They are verified again here, because an incomplete write must not count.
  for (const piece of await goodPieces(path, fromOld, signal)) good.add(piece);
  const all = [...fetch, ...resumed, ...copied].toSorted((a, b) => a.start - b.start);
  return { missing: all.filter((piece) => !good.has(piece)), here: all.filter((piece) => good.has(piece)) };
}

/** The valid pieces of an unfinished file. The file is removed if it has none, or if it is hard-linked to another copy. */
async function keepGoodPieces(
  path: string,
  { size }: ManifestFile,
  resumed: readonly Piece[],
  { isStarted, signal }: { readonly isStarted: boolean; readonly signal: AbortSignal },
): Promise<Set<Piece>> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return new Set();
  const good = new Set(await goodPieces(path, resumed, signal));
  const isWhole = info.size === size && sizeOf([...good]) === size;
  if ((good.size > 0 && isWhole) || ((good.size > 0 || isStarted) && info.nlink === 1)) return good;
  await rm(path, { force: true });
  return new Set();
}

const sizeAt = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );

/** Creates a file of zeros that takes no space yet. */
async function makeFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.truncate(size);
  } finally {
    await file.close();
  }
}

async function fill(path: string, size: number, { from, pieces }: { from: string; pieces: readonly Piece[] }): Promise<void> {
  const created = await open(path, 'a');
  await created.close();
  const target = await open(path, 'r+');
  try {
    await target.truncate(size);
    for (const piece of pieces) await copyPiece(from, target, piece);
  } finally {
    await target.close();
  }
}

/** Reuses a whole file of the old copy. If that copy is removed in the meantime, the file must be fetched from the store. */
async function reuseFile(
  { from: name, file }: Extract<FileSource, { action: 'reuse' }>,
  { old, incoming, signal }: PrepareOptions,
): Promise<PreparedFile> {
  const pieces = splitIntoPieces(file);
  const from = join(old, name);
  const to = join(incoming.files, file.path);
  await rm(to, { force: true });
  try {
    // The old copy will be removed soon, so the two names do not exist together for long.
    await link(from, to);
    return { missing: [], here: pieces };
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EMLINK', 'ENOSYS')) throw error;
  }
  const cloned = await cloneFile(from, to, { signal }).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (cloned?.sha256 === file.sha256) return { missing: [], here: pieces };
  await rm(to, { force: true });
  await fill(to, file.size, { from, pieces: [] });
  return { missing: pieces, here: [] };
}

async function goodPieces(path: string, pieces: readonly Piece[], signal: AbortSignal): Promise<readonly Piece[]> {
  if (pieces.length === 0) return [];
  const good = await runHashJob({ kind: 'check', path, pieces }, { signal });
  return pieces.filter((_, index) => good[index]);
}

async function copyPiece(from: string, target: FileHandle, { start, end }: Piece): Promise<void> {
  const source = await open(from, 'r');
  try {
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (let at = start; at < end; ) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, end - at), at);
      if (bytesRead === 0) return;
      await target.write(buffer, 0, bytesRead, at);
      at += bytesRead;
    }
  } finally {
    await source.close();
  }
}
