import { open, readFile, rename, stat } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';
import { appendLines } from '../kernel/files/append-lines.ts';
import { createSerialQueue } from '../kernel/flow/serial-queue.ts';
import { createYielder } from '../kernel/flow/yielding.ts';
import { acquireLock } from '../kernel/process/lock.ts';
import { decode } from '../protocol/decode.ts';
import { type ActivityEntry, activityEntry } from '../protocol/events.ts';

/** The changes of a store, on its disk (docs/on-disk-format.md, "audit.ndjson"). Several processes may write to it. */
export interface AuditLog extends AsyncDisposable {
  /** Saves an entry soon. Never throws: if the disk does not take it, a later call tries again. */
  append(entry: ActivityEntry): void;
  /** The last entries, newest first: those on the disk, and before them those that wait for it. */
  readLast(count: number): Promise<readonly ActivityEntry[]>;
  /** Searches all entries, see `searchAudit`; also those that wait for the disk. */
  search(wanted: AuditSearch): Promise<FoundEntries>;
}

/** Which entries are wanted. */
export interface AuditSearch {
  readonly limit: number;
  /** An entry in the form for the result, or undefined if it is not wanted. */
  readonly pick: (entry: ActivityEntry) => ActivityEntry | undefined;
}

/** The wanted entries, newest first, and whether there are more. */
export interface FoundEntries {
  readonly entries: readonly ActivityEntry[];
  readonly more: boolean;
}

/** The files of a log. */
export interface AuditFiles {
  readonly file: string;
  /** The name of a file that has become too large; it replaces an earlier one. */
  readonly older: string;
}

/** The options of `openAuditLog`. */
export interface AuditLogOptions extends AuditFiles {
  /** The directory of the lock that writers hold for each write. */
  readonly lock: string;
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
/** A write takes milliseconds, so a writer that holds the lock longer is suspended. */
const lockWaitMs = 5_000;

/** Opens the log for a writer. Nothing is read or written yet. */
export function openAuditLog({ lock, requireDisk, onFailure, maxBytes = usualMaxBytes, ...files }: AuditLogOptions): AuditLog {
  const { file, older } = files;
  let waiting: ActivityEntry[] = [];
  /** Reads come after the writes before them, so that no entry is missing or listed twice. */
  const queue = createSerialQueue();
  let isFailing = false;
  // A command that is being stopped still saves what it changed.
  const { signal } = new AbortController();
  const write = async (): Promise<void> => {
    const entries = waiting;
    if (entries.length === 0) return;
    waiting = [];
    try {
      await requireDisk();
      await using held = await acquireLock(lock, { purpose: 'the log of changes', timeoutMs: lockWaitMs, signal });
      await held.assertHeld();
      // Another process may have written to the file, renamed it or removed it.
      if ((await sizeOf(file)) >= maxBytes) await rename(file, older);
      // Only the owner may read it: it contains addresses.
      await appendLines(file, entries.map(toLine), { mode: 0o600 });
      isFailing = false;
    } catch (error) {
      waiting = [...entries, ...waiting].slice(-maxWaiting);
      if (!isFailing) onFailure(error);
      isFailing = true;
    }
  };
  let known: { readonly stamp: string; readonly count: number; readonly saved: readonly ActivityEntry[] } | undefined;
  return {
    append: (entry) => {
      waiting = [...waiting, entry].slice(-maxWaiting);
      void queue.run(write);
    },
    readLast: (count) =>
      queue.run(async () => {
        const now = await stampOf(file);
        if (known === undefined || known.stamp !== now || known.count < count)
          known = { stamp: now, count, saved: await readLastSaved(files, count) };
        return [...waiting.toReversed(), ...known.saved].slice(0, count);
      }),
    search: (wanted) => queue.run(() => searchAudit(files, wanted, waiting.toReversed())),
    [Symbol.asyncDispose]: async () => {
      await queue.idle();
      await write();
    },
  };
}

/** Changes with every write, also by another process. */
const stampOf = async (path: string): Promise<string> => {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw error;
  }
};

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw error;
  }
};

/** The last entries on the disk, newest first. A line that cannot be read is left out. Needs no lock. */
async function readLastSaved({ file, older }: AuditFiles, count: number): Promise<readonly ActivityEntry[]> {
  const newest = await readEnd(file, count);
  return newest.length >= count ? newest : [...newest, ...(await readEnd(older, count - newest.length))];
}

/**
 * Searches all entries on the disk, newest first. Needs no lock, and writes nothing. A line that cannot be read is left out.
 * @param unsaved newer entries that are not on the disk yet, newest first
 */
export async function searchAudit(
  { file, older }: AuditFiles,
  { limit, pick }: AuditSearch,
  unsaved: readonly ActivityEntry[] = [],
): Promise<FoundEntries> {
  const entries: ActivityEntry[] = [];
  /** @returns whether the search has ended */
  const take = (found: readonly ActivityEntry[]): boolean => {
    for (const entry of found) {
      const picked = pick(entry);
      if (picked === undefined) continue;
      if (entries.length >= limit) return true;
      entries.push(picked);
    }
    return false;
  };
  if (take(unsaved)) return { entries, more: true };
  const yieldIfDue = createYielder();
  for (const path of [file, older])
    for (const line of (await textOf(path)).split('\n').toReversed()) {
      if (take(parseLine(line))) return { entries, more: true };
      await yieldIfDue();
    }
  return { entries, more: false };
}

const textOf = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw error;
  }
};

/** What looks like a Hugging Face token or of skulk; somebody may have pasted one as a name. */
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
