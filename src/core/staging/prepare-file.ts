import { type FileHandle, link, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../kernel/errors.ts';
import type { ManifestFile } from '../protocol/manifest.ts';
import { cloneFile } from '../transfer/clone-file.ts';
import { runHashJob } from '../transfer/hash-pool.ts';
import { type Piece, splitIntoPieces } from '../transfer/pieces.ts';
import type { IncomingCopy } from './layout.ts';
import { type FileSource, sizeOf } from './plan-stage.ts';

/** A file of the copy that is being built, at its full length. */
export interface PreparedFile {
  /** Pieces that still have to come, in order. */
  readonly missing: readonly Piece[];
  /** Pieces that are here and were checked, or lie in a file that was. */
  readonly here: readonly Piece[];
}

/** Where `prepareFile` works. */
export interface PrepareOptions {
  /** Directory of the copy that is there. */
  readonly old: string;
  readonly incoming: IncomingCopy;
  /** The files of which a piece has come in part. */
  readonly started: ReadonlySet<string>;
  /** The files that an earlier try left. */
  readonly present: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** Brings what is here of a file to its place, in a directory that is there, and says what still has to come. */
export async function prepareFile(source: FileSource, options: PrepareOptions): Promise<PreparedFile> {
  if (source.action === 'reuse') return reuseFile(source, options);
  const { file, fetch, resumed, copied } = source;
  const { old, incoming, started, present, signal } = options;
  const path = join(incoming.files, file.path);
  if (!present.has(file.path) && resumed.length + copied.length === 0) {
    // A file of one piece is made by whoever writes it.
    if (fetch.length > 1) await makeFile(path, file.size);
    return { missing: fetch, here: [] };
  }
  const good = await keepGoodPieces(path, file, resumed, { isStarted: started.has(file.path), signal });
  // The journal may name what is not there any more, while the old copy still has it.
  const wanted = [...copied, ...resumed.filter((piece) => !good.has(piece))];
  const fromOld = await goodPieces(join(old, file.path), wanted, signal).catch(() => []);
  // A whole file may be one with that of another copy, whose date must stay as it is.
  if (fromOld.length > 0 || (await sizeAt(path)) !== file.size)
    await fill(path, file.size, { from: join(old, file.path), pieces: fromOld });
  // What was copied was checked at its source; a torn copy must not count, so it is checked at its place too.
  for (const piece of await goodPieces(path, fromOld, signal)) good.add(piece);
  const all = [...fetch, ...resumed, ...copied].toSorted((a, b) => a.start - b.start);
  return { missing: all.filter((piece) => !good.has(piece)), here: all.filter((piece) => good.has(piece)) };
}

/** The pieces of an unfinished file that are good. It is removed when it has none, or when writing to it would write to another copy as well. */
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

/** A file of zeros that takes no room yet. */
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

/** Takes over a whole file of the old copy. Should that copy go away meanwhile, the file has to come from the store. */
async function reuseFile(
  { from: name, file }: Extract<FileSource, { action: 'reuse' }>,
  { old, incoming, signal }: PrepareOptions,
): Promise<PreparedFile> {
  const pieces = splitIntoPieces(file);
  const from = join(old, name);
  const to = join(incoming.files, file.path);
  await rm(to, { force: true });
  try {
    // The old copy is about to go, so the two names never live together for long.
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
