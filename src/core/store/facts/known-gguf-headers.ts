import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GgufHeader, parseGgufHeader } from '../../catalog/gguf-header.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { RegistryEntry } from '../../protocol/models.ts';
import { readFingerprint } from '../../transfer/fingerprint.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';
import { readGgufHeader } from './read-gguf-facts.ts';

/** To be raised when the same file would give another header: a new converter of templates, another field. */
const edition = 2;

/**
 * What a registry says of a model's GGUF files: read once, then remembered beside the manifests for as long as a file is the same.
 * Undefined where nothing can be read.
 */
export function createHeaderReader(layout: StoreLayout): (entry: RegistryEntry, path: string) => Promise<GgufHeader | undefined> {
  /** The file of a model is read and written by one at a time. */
  const turns = new Map<ModelId, Promise<unknown>>();
  return (entry, path) => {
    const { model_id } = entry;
    const work = (turns.get(model_id) ?? Promise.resolve()).then(() => knownHeader(layout, entry, path));
    const turn = work
      .catch(() => undefined)
      .then(() => {
        if (turns.get(model_id) === turn) turns.delete(model_id);
      });
    turns.set(model_id, turn);
    return work;
  };
}

async function knownHeader(
  layout: StoreLayout,
  { model_id, store_path, files }: RegistryEntry,
  path: string,
): Promise<GgufHeader | undefined> {
  const absolute = join(layout.root, store_path, path);
  const fingerprint = readFingerprint(absolute);
  if (fingerprint === undefined) return undefined;
  const stamp = JSON.stringify([edition, fingerprint]);
  const file = jsonFileOf(layout.headers, model_id);
  const cached = await readCache(file);
  const found = cached.get(path);
  if (found?.stamp === stamp) return parseGgufHeader(found.header);
  const { header, isCertain } = await readGgufHeader(absolute);
  // What took too long is tried again by the next process: this machine may have been busy.
  if (!isCertain) return header;
  const own = new Set(files);
  const kept = [...cached].filter(([name]) => own.has(name));
  // A store that cannot be written to is looked at again.
  const text = JSON.stringify(Object.fromEntries([...kept, [path, { stamp, header }]]));
  await writeFileDurably(file, text).catch(() => undefined);
  return header;
}

/** A file that is damaged, or not there, is as one without anything. */
async function readCache(file: string): Promise<ReadonlyMap<string, { readonly stamp?: unknown; readonly header?: unknown }>> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return new Map(Object.entries(value as object).map(([path, one]) => [path, (one ?? {}) as object]));
  } catch {
    return new Map();
  }
}
