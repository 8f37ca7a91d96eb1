import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { SkulkError } from '../kernel/errors.ts';
import { parseRelativePath, quote } from '../kernel/files/relative-path.ts';
import { type ContentId, promiseOf } from '../transfer/promised-file.ts';
import type { Listing, Source, SourceFile, SourceRange } from './source.ts';

/** A file to fetch: as listed by the source, or joined from pieces that were cut by bytes. */
export interface PlannedFile extends SourceFile {
  /** The pieces in order. Then the file has no id of its own, and each piece is verified with its own id. */
  readonly pieces?: readonly SourceFile[];
  /** The expected content, if the source itself lists no ids. */
  readonly promise?: ContentId;
}

/**
 * The file joined from pieces.
 * @throws SkulkError HUB_REFUSED if a piece has no sha256
 */
export function joinPieces(path: string, pieces: readonly SourceFile[]): PlannedFile {
  const unknown = pieces.find(({ sha256 }) => sha256 === undefined);
  if (unknown !== undefined)
    throw new SkulkError('HUB_REFUSED', `${quote(unknown.path)} cannot be verified, so ${quote(path)} cannot be joined from its pieces`, {
      hint: otherWays,
    });
  return { path: parseRelativePath(path), size: pieces.reduce((sum, { size }) => sum + size, 0), pieces };
}

const otherWays = 'choose another quantization, or download the pieces with --whole';

/**
 * Checks that a joined file was really cut by bytes: then no piece except the first begins like a separate file.
 * @param path its path on the disk
 * @throws SkulkError HUB_REFUSED
 */
export async function requirePlainCut({ path: name, pieces = [] }: PlannedFile, path: string): Promise<void> {
  if (pieces.length === 0) return;
  await using file = await open(path);
  const magic = Buffer.alloc(4);
  let at = 0;
  for (const [index, piece] of pieces.entries()) {
    await file.read(magic, 0, magic.length, at);
    at += piece.size;
    if (index > 0 && magic.toString('latin1') === 'GGUF')
      throw new SkulkError('HUB_REFUSED', `cannot join ${quote(name)}: its piece ${quote(piece.path)} is a complete GGUF file`, {
        hint: otherWays,
      });
  }
}

/** The expected content of a planned file. */
export function promiseOfPlanned(file: PlannedFile): ContentId {
  const { pieces, promise } = file;
  if (pieces === undefined) return promise ?? promiseOf(file);
  let at = 0;
  const parts = pieces.map(({ size, sha256 }) => {
    const start = at;
    at += size;
    return { start, end: at, sha256: sha256 as NonNullable<typeof sha256> };
  });
  const hash = createHash('sha256').update(parts.map(({ end, sha256 }) => `${end} ${sha256}\n`).join(''));
  return { kind: 'parts', value: hash.digest('hex'), parts };
}

/** The bytes of a part of a planned file, in order. */
export async function* openPlanned(
  source: Source,
  listing: Listing,
  { file, range, signal }: { readonly file: PlannedFile; readonly range: SourceRange; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const piece of file.pieces ?? [file]) {
    const start = Math.max(range.start - at, 0);
    const end = Math.min(range.end - at, piece.size);
    if (start < end) yield* source.open(listing, piece, { start, end, whole: range.whole }, signal);
    at += piece.size;
  }
}
