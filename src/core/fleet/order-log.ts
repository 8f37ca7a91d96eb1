import { open, readFile, truncate } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { decode } from '../protocol/decode.ts';
import { namesItsModel } from '../protocol/fleet.ts';
import { type LogEntry, logEntry } from '../protocol/order-log.ts';

/** Reads the log; what a crash cut off at its end is not there, and a line that is no entry is named by its number. */
export async function readOrderLog(path: string, onBad: (line: number) => void): Promise<readonly LogEntry[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return '';
    throw error;
  });
  const lines = text.split('\n').slice(0, -1);
  return lines.flatMap((line, index) => {
    const entry = parseEntry(line);
    if (entry === undefined) onBad(index + 1);
    return entry ?? [];
  });
}

/** Adds entries so that they survive a power cut. What an earlier crash cut off is removed first. */
export async function appendToLog(directory: string, path: string, entries: readonly LogEntry[]): Promise<void> {
  await makeDirectory(directory);
  await endLastLine(path);
  const file = await open(path, 'a', 0o666);
  try {
    await file.appendFile(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes the whole log anew. */
export const rewriteLog = (path: string, entries: readonly LogEntry[]): Promise<void> =>
  writeFileDurably(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));

async function endLastLine(path: string): Promise<void> {
  if (await endsInLine(path)) return;
  const bytes = await readFile(path);
  await truncate(path, bytes.lastIndexOf(10) + 1);
}

async function endsInLine(path: string): Promise<boolean> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    return size === 0 || buffer[0] === 10;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return true;
    throw error;
  }
}

function parseEntry(line: string): LogEntry | undefined {
  try {
    const entry = decode(logEntry, JSON.parse(line));
    return entry === undefined || ('order' in entry && !namesItsModel(entry.order)) ? undefined : entry;
  } catch {
    return undefined;
  }
}
