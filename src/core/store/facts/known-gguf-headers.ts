import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GgufHeader, parseGgufHeader } from '../../catalog/gguf-header.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { createSerialQueues } from '../../kernel/flow/serial-queue.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import { readFingerprintSync } from '../../transfer/fingerprint.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';
import { readGgufHeader } from './read-gguf-facts.ts';

/** Increase it when the same file would result in another header: a new converter of templates, or a new field. */
const edition = 2;

/**
 * Reads a registry's data from a model's GGUF files once, and saves it beside the manifests until a file changes. Undefined if it is
 * unreadable.
 */
export function createHeaderReader(layout: StoreLayout): (entry: RegistryEntry, path: string) => Promise<GgufHeader | undefined> {
  /** The file of a model is read and written by one call at a time. */
  const queues = createSerialQueues<ModelId>();
  return (entry, path) => queues.run(entry.model_id, () => knownHeader(layout, entry, path));
}

async function knownHeader(
  layout: StoreLayout,
  { model_id, store_path, files }: RegistryEntry,
  path: string,
): Promise<GgufHeader | undefined> {
  const absolute = join(layout.root, store_path, path);
  const fingerprint = readFingerprintSync(absolute);
  if (fingerprint === undefined) return undefined;
  const stamp = JSON.stringify([edition, fingerprint]);
  const file = jsonFileOf(layout.headers, model_id);
  const cached = await readCache(file);
  const found = cached.get(path);
  if (found?.stamp === stamp) return parseGgufHeader(found.header);
  const { header, isCertain } = await readGgufHeader(absolute);
  // The next process retries a file that took too long: this machine may have been busy.
  if (!isCertain) return header;
  const own = new Set(files);
  const kept = [...cached].filter(([name]) => own.has(name));
  // On a read-only store, the file is read again each time.
  const text = JSON.stringify(Object.fromEntries([...kept, [path, { stamp, header }]]));
  await writeFileDurably(file, text).catch(() => undefined);
  return header;
}

/** A damaged or missing file counts as empty. */
async function readCache(file: string): Promise<ReadonlyMap<string, { readonly stamp?: unknown; readonly header?: unknown }>> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return new Map(Object.entries(value as object).map(([path, one]) => [path, (one ?? {}) as object]));
  } catch {
    return new Map();
  }
}
