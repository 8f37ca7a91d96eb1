import { open, readFile, truncate } from 'node:fs/promises';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { isNodeId, type NodeId } from '../kernel/machine/node-id.ts';
import { isModelId } from '../kernel/model-id.ts';
import type { Order, OrderOutcome } from '../protocol/fleet.ts';

/** One line of the log. */
export type LogEntry =
  /** `prepared`: it counts once it is committed; the model's removal comes in between. */
  | { readonly order: Order; readonly nodes: readonly NodeId[]; readonly prepared?: true }
  | { readonly commit: string }
  | { readonly drop: string }
  | { readonly ack: string; readonly node: NodeId; readonly outcome: OrderOutcome }
  | { readonly forget: NodeId }
  /** The number of the next order, when the log was rewritten. */
  | { readonly next: number };

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
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (typeof entry !== 'object' || entry === null) return undefined;
    const isGood =
      ('order' in entry && isOrder(entry['order']) && Array.isArray(entry['nodes']) && entry['nodes'].every(isNodeId)) ||
      ('ack' in entry && isOrderId(entry['ack']) && isNodeId(entry['node']) && isOutcome(entry['outcome'])) ||
      isOrderId(entry['commit']) ||
      isOrderId(entry['drop']) ||
      isNodeId(entry['forget']) ||
      Number.isSafeInteger(entry['next']);
    return isGood ? (entry as unknown as LogEntry) : undefined;
  } catch {
    return undefined;
  }
}

const isOrderId = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{24}$/.test(value);

function isOrder(value: unknown): boolean {
  const { order_id, seq, kind, model_id, force, given_at } = (value ?? {}) as Partial<Record<keyof Order, unknown>>;
  return (
    isOrderId(order_id) &&
    Number.isSafeInteger(seq) &&
    (kind === 'evict' || kind === 'purge') &&
    (model_id === null ? kind === 'purge' : typeof model_id === 'string' && isModelId(model_id)) &&
    typeof force === 'boolean' &&
    typeof given_at === 'string'
  );
}

function isOutcome(value: unknown): boolean {
  const { status, freed_bytes, reason } = (value ?? {}) as Partial<Record<keyof OrderOutcome, unknown>>;
  return (
    (status === 'done' || status === 'deferred' || status === 'failed') &&
    Number.isSafeInteger(freed_bytes) &&
    (reason === null || typeof reason === 'string')
  );
}
