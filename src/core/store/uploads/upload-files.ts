import { constants } from 'node:fs';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import { forEachYielding } from '../../kernel/flow/yielding.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { runHashJob } from '../../transfer/hashing/hash-pool.ts';
import { type Piece, splitIntoPieces } from '../../transfer/pieces.ts';
import type { LocalStore } from '../local-store.ts';

/** The positions of the existing model's pieces, by digest. */
export async function piecesOf(
  store: LocalStore,
  { model_id, files }: Manifest,
): Promise<ReadonlyMap<string, { readonly path: string; readonly piece: Piece }>> {
  const entry = (await store.listModels()).find((known) => known.model_id === model_id);
  const pieces = new Map<string, { path: string; piece: Piece }>();
  if (entry === undefined) return pieces;
  await forEachYielding(files, (file) => {
    for (const piece of splitIntoPieces(file)) pieces.set(piece.sha256, { path: join(store.root, entry.store_path, file.path), piece });
  });
  return pieces;
}

/** Copies a piece that the store already has, and verifies the copy. */
export async function takeOver(
  piece: Piece,
  old: ReadonlyMap<string, { readonly path: string; readonly piece: Piece }>,
  to: string,
  signal: AbortSignal,
): Promise<boolean> {
  const found = old.get(piece.sha256);
  if (found === undefined) return false;
  try {
    const buffer = Buffer.allocUnsafe(piece.end - piece.start);
    const source = await open(found.path, 'r');
    const { bytesRead } = await source.read(buffer, 0, buffer.length, found.piece.start).finally(() => source.close());
    if (bytesRead !== buffer.length) return false;
    const target = await open(to, 'r+');
    await target.write(buffer, 0, buffer.length, piece.start).finally(() => target.close());
    const [isGood] = await runHashJob({ kind: 'check', path: to, pieces: [piece] }, { signal });
    return isGood === true;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

/** Creates a file of a size, unless it already has that size. */
export async function makeFile(path: string, size: number): Promise<void> {
  await makeDirectory(dirname(path));
  const info = await stat(path).catch(() => undefined);
  if (info?.size === size) return;
  await rm(path, { force: true });
  const file = await open(path, 'wx');
  await file.truncate(size).finally(() => file.close());
}

/**
 * Opens a file of an upload for one of its pieces; the first piece creates the file.
 * @param root must exist; otherwise throws the system's ENOENT
 */
export async function openForPiece(root: string, path: string, size: number): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  await stat(root);
  await makeDirectory(dirname(path));
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW);
  try {
    if ((await handle.stat()).size !== size) await handle.truncate(size);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Writes a piece to its place.
 * @param onBytes called whenever bytes arrive
 * @throws SkulkError INTEGRITY for too many or too few bytes; the signal's reason
 */
export async function writePiece(
  handle: FileHandle,
  piece: Piece,
  { bytes, onBytes }: { readonly bytes: Readable; readonly onBytes: () => void },
  signal: AbortSignal,
): Promise<void> {
  let at = piece.start;
  // Do not wait for a sender that sends nothing more.
  const stop = (): void => void bytes.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop);
  try {
    for await (const part of bytes as AsyncIterable<Uint8Array>) {
      if (signal.aborted) throw signal.reason;
      onBytes();
      if (at + part.length > piece.end) throw notPromised(piece);
      for (let done = 0; done < part.length; ) done += (await handle.write(part, done, part.length - done, at + done)).bytesWritten;
      at += part.length;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (at !== piece.end) throw notPromised(piece);
}

/** The error for bytes that do not match the manifest. */
export const notPromised = ({ path, start }: Piece): SkulkError =>
  new SkulkError('INTEGRITY', `the piece of ${quote(path)} at ${start} does not match its manifest`, {
    hint: 'the file may have changed during the upload; run `skulk add` again',
  });
