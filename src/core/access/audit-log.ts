import { open, rename } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';
import { appendLines } from '../kernel/files/append-lines.ts';
import { decode } from '../protocol/decode.ts';
import { type ActivityEntry, activityEntry } from '../protocol/events.ts';

/** The requests that changed something, on the disk of the store (docs/on-disk-format.md, "audit.ndjson"). */
export interface AuditLog extends AsyncDisposable {
  /** Saves an entry soon. Never throws: if the disk does not take it, a later call tries again. */
  append(entry: ActivityEntry): void;
  /** The last entries on the disk, newest first. A line that cannot be read is left out. */
  readLast(count: number): Promise<readonly ActivityEntry[]>;
}

/** The options of `openAuditLog`. */
export interface AuditLogOptions {
  readonly file: string;
  /** The name of a file that has become too large; it replaces an earlier one. */
  readonly older: string;
  /** Rejects while the disk of the store is not mounted. */
  readonly requireDisk: () => Promise<void>;
  /** Called with the error of the first write that fails after one that succeeded. */
  readonly onFailure: (error: unknown) => void;
  /** Size of each of the two files, in bytes. */
  readonly maxBytes?: number;
}

/** Two files of this size contain about 30,000 requests. */
const usualMaxBytes = 4 * 1024 ** 2;
/** So many entries wait for a disk that takes none; older ones are lost. */
const maxWaiting = 500;
/** An entry has at most about 1,500 characters, and usually 200. */
const bytesPerEntry = 1_000;

/** Opens the log for the server, which is the only writer. Nothing is read or written yet. */
export function openAuditLog({ file, older, requireDisk, onFailure, maxBytes = usualMaxBytes }: AuditLogOptions): AuditLog {
  let waiting: ActivityEntry[] = [];
  let last: Promise<void> = Promise.resolve();
  let isFailing = false;
  let size = 0;
  const makeOlder = async (): Promise<void> => {
    // Somebody may have removed the file.
    await rename(file, older).catch((error: unknown) => {
      if (!isSystemError(error, 'ENOENT')) throw error;
    });
    // Before the next write, which may fail: a second rename would replace the older file with an empty one.
    size = 0;
  };
  const write = async (): Promise<void> => {
    const entries = waiting;
    if (entries.length === 0) return;
    waiting = [];
    try {
      await requireDisk();
      if (size >= maxBytes) await makeOlder();
      // Only the owner may read it: it contains addresses.
      size = await appendLines(file, entries.map(toLine), { mode: 0o600 });
      isFailing = false;
    } catch (error) {
      waiting = [...entries, ...waiting].slice(-maxWaiting);
      if (!isFailing) onFailure(error);
      isFailing = true;
    }
  };
  const append = (entry: ActivityEntry): void => {
    waiting = [...waiting, entry].slice(-maxWaiting);
    last = last.then(write);
  };
  return {
    append,
    readLast: async (count) => {
      const newest = await readEnd(file, count);
      return newest.length >= count ? newest : [...newest, ...(await readEnd(older, count - newest.length))];
    },
    [Symbol.asyncDispose]: async () => {
      await last;
      await write();
    },
  };
}

/** What looks like a token of Hugging Face or of skulk; somebody may have pasted one as a name. */
const token = /\b(?:hf_|skulk_)[A-Za-z0-9_-]{20,}/g;

const toLine = (entry: ActivityEntry): string => JSON.stringify(entry).replaceAll(token, '***');

/** The last entries of a file, newest first. */
async function readEnd(path: string, count: number): Promise<readonly ActivityEntry[]> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const length = Math.min(size, count * bytesPerEntry);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    // The first may be only the end of a line.
    if (length < size) lines.shift();
    return lines.flatMap(parseLine).toReversed().slice(0, count);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}

function parseLine(line: string): readonly ActivityEntry[] {
  try {
    return [decode(activityEntry, JSON.parse(line)) ?? []].flat();
  } catch {
    return [];
  }
}
