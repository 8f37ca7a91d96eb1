import { readFile } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';
import { appendLines } from '../kernel/files/append-lines.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { decode } from '../protocol/decode.ts';
import { namesItsModel, selectorOfOrder } from '../protocol/fleet.ts';
import { type LogEntry, logEntry } from '../protocol/order-log.ts';

/*
 * An order for one quantization has its own kind in the log. An earlier version without selectors ignores such a line, instead of
 * treating it as an order for the whole model.
 */
const suffix = '-quantization';

const toLine = (entry: LogEntry): string => {
  const isOfPart = 'order' in entry && entry.order.selector !== undefined;
  const written = isOfPart ? { ...entry, order: { ...entry.order, kind: `${entry.order.kind}${suffix}` } } : entry;
  return JSON.stringify(written);
};

function withoutSuffix(entry: unknown): unknown {
  const { order } = (entry ?? {}) as { readonly order?: { readonly kind?: unknown; readonly selector?: unknown } };
  const { kind, selector } = order ?? {};
  if (typeof kind !== 'string' || !kind.endsWith(suffix) || decode(selectorOfOrder, selector) === undefined) return entry;
  return { ...(entry as object), order: { ...order, kind: kind.slice(0, -suffix.length) } };
}

/** Reads the log. Ignores an incomplete end after a crash, and reports an invalid line by its number. */
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

/** Appends entries so that they survive a power cut. First removes an incomplete end after an earlier crash. */
export async function appendToLog(directory: string, path: string, entries: readonly LogEntry[]): Promise<void> {
  await makeDirectory(directory);
  await appendLines(path, entries.map(toLine));
}

/** Rewrites the whole log. */
export const rewriteLog = (path: string, entries: readonly LogEntry[]): Promise<void> =>
  writeFileDurably(path, entries.map((entry) => `${toLine(entry)}\n`).join(''));

function parseEntry(line: string): LogEntry | undefined {
  try {
    const entry = decode(logEntry, withoutSuffix(JSON.parse(line)));
    return entry === undefined || ('order' in entry && !namesItsModel(entry.order)) ? undefined : entry;
  } catch {
    return undefined;
  }
}
