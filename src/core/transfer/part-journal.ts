import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';
import { type Piece, pieceKey } from './pieces.ts';

/**
 * Which pieces of an unfinished transfer were verified: one JSON line each. A line is a hint, not a proof: it may have reached the disk before the
 * bytes did, so whoever resumes hashes the piece again. What it saves is sending it again.
 */
export interface PartJournal extends AsyncDisposable {
  add(piece: Pick<Piece, 'path' | 'start' | 'sha256'>): Promise<void>;
  /** Notes that the first bytes of a piece are in their place, so that a kill need not cost all of it. */
  addPart(piece: Pick<Piece, 'path' | 'start' | 'sha256'>, bytes: number): Promise<void>;
}

/** A line has some hundred bytes, so this is more than any model needs; a longer file was not written by skulk. */
const maxBytes = 256 * 1024 * 1024;

/** The keys (see `pieceKey`) of the pieces that a journal names; a torn last line is left out. What is no journal names none. */
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

/** How many of the first bytes of unfinished pieces are in their place, by the pieces' keys. */
export function readParts(lines: ReadonlySet<string>): ReadonlyMap<string, number> {
  const parts = new Map<string, number>();
  for (const line of lines) {
    const [, key, bytes] = /^(.*),(\d{1,15})\]$/.exec(line) ?? [];
    // The line of a whole piece ends with its digest, which is no number.
    if (key !== undefined) parts.set(`${key}]`, Math.max(parts.get(`${key}]`) ?? 0, Number(bytes)));
  }
  return parts;
}

/** Opens a journal to add to it. */
export async function openJournal(path: string): Promise<PartJournal> {
  const file: FileHandle = await open(path, 'a').catch(async (error: unknown) => {
    if (!isSystemError(error, 'EISDIR')) throw error;
    await rm(path, { recursive: true });
    return open(path, 'a');
  });
  // A line of a killed process may lack its end; the next one must not be glued to it.
  if ((await file.stat()).size > 0) await file.write('\n');
  let collected = '';
  let inFlight: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  /** What comes while lines are on their way to the file goes there together. */
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
