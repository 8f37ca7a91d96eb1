import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';
import { type Piece, pieceKey } from './pieces.ts';

/**
 * The verified pieces of an unfinished transfer, one JSON line each. A line is a hint, not a proof: it may have reached the disk before
 * the bytes did. So a resumed transfer hashes the piece again, and only saves downloading it again.
 */
export interface PartJournal extends AsyncDisposable {
  add(piece: Pick<Piece, 'path' | 'start' | 'sha256'>): Promise<void>;
  /** Records that the first bytes of a piece are written, so that a kill does not lose the whole piece. */
  addPart(piece: Pick<Piece, 'path' | 'start' | 'sha256'>, bytes: number): Promise<void>;
}

/** A line has some hundred bytes, so this is more than any model needs. skulk did not write a longer file. */
const maxBytes = 256 * 1024 * 1024;

/** The keys (see `pieceKey`) of the pieces in a journal. Ignores an incomplete last line. Empty for a file that is not a journal. */
export async function readJournal(path: string): Promise<ReadonlySet<string>> {
  try {
    if ((await stat(path)).size > maxBytes) return new Set();
    const lines = (await readFile(path, 'utf8')).split('\n');
    return new Set(lines.slice(0, -1));
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return new Set();
    throw error;
  }
}

const partLine = (piece: Pick<Piece, 'path' | 'start' | 'sha256'>, bytes: number): string => `${pieceKey(piece).slice(0, -1)},${bytes}]`;

/** The number of written first bytes of unfinished pieces, by the pieces' keys. */
export function readParts(lines: ReadonlySet<string>): ReadonlyMap<string, number> {
  const parts = new Map<string, number>();
  for (const line of lines) {
    const [, key, bytes] = /^(.*),(\d{1,15})\]$/.exec(line) ?? [];
    // The line of a complete piece ends with its digest, which is not a number.
    if (key !== undefined) parts.set(`${key}]`, Math.max(parts.get(`${key}]`) ?? 0, Number(bytes)));
  }
  return parts;
}

/** Opens a journal for appending. */
export async function openJournal(path: string): Promise<PartJournal> {
  const file: FileHandle = await open(path, 'a').catch(async (error: unknown) => {
    if (!isSystemError(error, 'EISDIR')) throw error;
    await rm(path, { recursive: true });
    return open(path, 'a');
  });
  // The last line of a killed process may be incomplete. The next line must not be appended to it.
  if ((await file.stat()).size > 0) await file.write('\n');
  let collected = '';
  let inFlight: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  /** Lines that arrive during a write are written together afterwards. */
  const write = (line: string): Promise<void> => {
    collected += line;
    next ??= inFlight
      .catch(() => undefined)
      .then(() => {
        const lines = collected;
        [collected, next] = ['', undefined];
        inFlight = file.appendFile(lines);
        return inFlight;
      });
    return next;
  };
  return {
    add: (piece) => write(`${pieceKey(piece)}\n`),
    addPart: (piece, bytes) => write(`${partLine(piece, bytes)}\n`),
    [Symbol.asyncDispose]: async () => {
      await next?.catch(() => undefined);
      await inFlight.catch(() => undefined);
      await file.close();
    },
  };
}
