import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { chunkSize } from '../../kernel/chunk-size.ts';
import { parseRelativePath, type RelativePath } from '../../kernel/files/relative-path.ts';
import { isSha256, type Sha256 } from '../../kernel/sha256.ts';
import type { ManifestFile } from '../../protocol/manifest.ts';
import { type Piece, splitIntoPieces } from '../../transfer/pieces.ts';

/*
 * The pieces of an announced model, for reading single pieces from the disk. A manifest may have tens of megabytes, and a server must not
 * keep one in memory for every announcement. Little endian:
 *   header   magic, files, pieces, bytes of all paths (u32 each)
 *   files    size (f64), sha256 (32), number of its first piece, number of pieces, start of its path, bytes of its path (u32 each)
 *   pieces   sha256 (32), number of its file (u32)
 *   paths    UTF-8
 * Empty files have no pieces.
 */
const magic = 0x31544b53;
const headerBytes = 16;
const fileBytes = 56;
const pieceBytes = 36;

/** A file of an announced model. */
export interface TableFile {
  readonly path: RelativePath;
  readonly size: number;
}

/** A piece with its numbers in the table; see `piece-table.ts`. */
export interface NumberedPiece {
  readonly number: number;
  readonly file: number;
  readonly piece: Piece;
  /** The size of the whole file, in bytes. */
  readonly fileSize: number;
}

/** Builds the table. Pure. */
export function encodePieceTable(files: readonly ManifestFile[]): { readonly bytes: Buffer; readonly pieces: number } {
  const split = files.map((file) => splitIntoPieces(file).filter(({ start, end }) => end > start));
  const pieces = split.reduce((sum, list) => sum + list.length, 0);
  const paths = files.map(({ path }) => Buffer.from(path));
  const pathBytes = paths.reduce((sum, path) => sum + path.length, 0);
  const bytes = Buffer.alloc(headerBytes + files.length * fileBytes + pieces * pieceBytes + pathBytes);
  for (const [index, value] of [magic, files.length, pieces, pathBytes].entries()) bytes.writeUInt32LE(value, index * 4);
  const piecesAt = headerBytes + files.length * fileBytes;
  const pathsAt = piecesAt + pieces * pieceBytes;
  let number = 0;
  let pathAt = 0;
  for (const [file, { size, sha256 }] of files.entries()) {
    const own = split[file] ?? [];
    const path = paths[file] ?? Buffer.alloc(0);
    const at = headerBytes + file * fileBytes;
    bytes.writeDoubleLE(size, at);
    bytes.write(sha256, at + 8, 'hex');
    for (const [index, value] of [number, own.length, pathAt, path.length].entries()) bytes.writeUInt32LE(value, at + 40 + index * 4);
    path.copy(bytes, pathsAt + pathAt);
    pathAt += path.length;
    for (const piece of own) {
      bytes.write(piece.sha256, piecesAt + number * pieceBytes, 'hex');
      bytes.writeUInt32LE(file, piecesAt + number * pieceBytes + 32);
      number += 1;
    }
  }
  return { bytes, pieces };
}

/** The id of a table. Two manifests with one digest may differ in the order of files, or in chunks. */
export const digestOfTable = (bytes: Uint8Array): Sha256 => createHash('sha256').update(bytes).digest('hex') as Sha256;

interface FileRow {
  readonly size: number;
  readonly sha256: Sha256;
  readonly firstPiece: number;
  readonly pieces: number;
  readonly pathAt: number;
  readonly pathBytes: number;
}

function readRow(bytes: Buffer, at: number): FileRow {
  const [firstPiece = 0, pieces = 0, pathAt = 0, pathBytes = 0] = [0, 1, 2, 3].map((index) => bytes.readUInt32LE(at + 40 + index * 4));
  return { size: bytes.readDoubleLE(at), sha256: hexAt(bytes, at + 8), firstPiece, pieces, pathAt, pathBytes };
}

function hexAt(bytes: Buffer, at: number): Sha256 {
  const text = bytes.toString('hex', at, at + 32);
  if (!isSha256(text)) throw damaged();
  return text;
}

const damaged = (): Error => new Error('a table of pieces is damaged');

/** Reads one piece of the table from the disk; undefined if the model has none there. */
export async function findPiece(
  path: string,
  { file, start }: { readonly file: number; readonly start: number },
): Promise<NumberedPiece | undefined> {
  const handle = await open(path, 'r');
  try {
    const header = await readAt(handle, 0, headerBytes);
    const [kind, files = 0, pieces = 0] = [0, 4, 8].map((at) => header.readUInt32LE(at));
    if (kind !== magic) throw damaged();
    if (file >= files || start % chunkSize !== 0) return undefined;
    const row = readRow(await readAt(handle, headerBytes + file * fileBytes, fileBytes), 0);
    const index = start / chunkSize;
    if (index >= row.pieces) return undefined;
    const piecesAt = headerBytes + files * fileBytes;
    const number = row.firstPiece + index;
    const sha256 = hexAt(await readAt(handle, piecesAt + number * pieceBytes, pieceBytes), 0);
    const name = (await readAt(handle, piecesAt + pieces * pieceBytes + row.pathAt, row.pathBytes)).toString();
    return { number, file, fileSize: row.size, piece: toPiece(parseRelativePath(name), row, start, sha256) };
  } finally {
    await handle.close();
  }
}

const toPiece = (path: RelativePath, { size, sha256: fileSha256 }: FileRow, start: number, sha256: Sha256): Piece => ({
  path,
  start,
  end: Math.min(start + chunkSize, size),
  sha256,
  fileSha256,
});

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw damaged();
  return buffer;
}

/** A whole table in memory, for a single pass through it. */
export interface PieceTable {
  readonly files: number;
  readonly pieces: number;
  file(number: number): TableFile;
  /** The position of a piece, without its path. */
  whereIs(number: number): { readonly file: number; readonly start: number; readonly size: number };
  piece(number: number): NumberedPiece;
}

/** Reads a whole table. */
export async function readPieceTable(path: string): Promise<PieceTable> {
  const bytes = await readFile(path);
  if (bytes.length < headerBytes || bytes.readUInt32LE(0) !== magic) throw damaged();
  const [files = 0, pieces = 0, pathBytes = 0] = [4, 8, 12].map((at) => bytes.readUInt32LE(at));
  const piecesAt = headerBytes + files * fileBytes;
  const pathsAt = piecesAt + pieces * pieceBytes;
  if (bytes.length !== pathsAt + pathBytes) throw damaged();
  const row = (file: number): FileRow => readRow(bytes, headerBytes + file * fileBytes);
  const pathOf = ({ pathAt, pathBytes: length }: FileRow): RelativePath =>
    parseRelativePath(bytes.toString('utf8', pathsAt + pathAt, pathsAt + pathAt + length));
  const rowOfPiece = (number: number): readonly [file: number, row: FileRow] => {
    const file = bytes.readUInt32LE(piecesAt + number * pieceBytes + 32);
    return [file, row(file)];
  };
  return {
    files,
    pieces,
    file: (number) => ({ path: pathOf(row(number)), size: row(number).size }),
    whereIs: (number) => {
      const [file, { size, firstPiece }] = rowOfPiece(number);
      const start = (number - firstPiece) * chunkSize;
      return { file, start, size: Math.min(start + chunkSize, size) - start };
    },
    piece: (number) => {
      const [file, found] = rowOfPiece(number);
      const start = (number - found.firstPiece) * chunkSize;
      const sha256 = hexAt(bytes, piecesAt + number * pieceBytes);
      return { number, file, fileSize: found.size, piece: toPiece(pathOf(found), found, start, sha256) };
    },
  };
}
