import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GgufFacts, parseGgufFacts } from '../../catalog/gguf-facts.ts';
import { loadableGguf } from '../../catalog/selection/groups.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import type { RegistryEntry } from '../../protocol/models.ts';
import { readFingerprint } from '../../transfer/fingerprint.ts';
import { jsonFileOf, type StoreLayout } from '../layout.ts';
import { readGgufFacts } from './read-gguf-facts.ts';

/** To be raised when the same file would give other facts. */
const edition = 2;

/**
 * What a model's GGUF file says of it: read once, then remembered beside the manifests for as long as the file is the same.
 * Undefined for a model without one, and where nothing can be read.
 */
export async function knownGgufFacts(layout: StoreLayout, { model_id, store_path, files }: RegistryEntry): Promise<GgufFacts | undefined> {
  const name = loadableGguf(files);
  if (name === undefined) return undefined;
  const path = join(layout.root, store_path, name);
  const fingerprint = readFingerprint(path);
  if (fingerprint === undefined) return undefined;
  const stamp = JSON.stringify([edition, name, fingerprint]);
  const file = jsonFileOf(layout.facts, model_id);
  const cached = await readFile(file, 'utf8')
    .then(
      (text) => JSON.parse(text) as { stamp?: unknown; facts?: unknown },
      () => undefined,
    )
    .catch(() => undefined);
  if (cached?.stamp === stamp) return parseGgufFacts(cached.facts);
  const facts = (await readGgufFacts(path)) ?? {};
  // A store that cannot be written to is looked at again.
  await writeFileDurably(file, JSON.stringify({ stamp, facts })).catch(() => undefined);
  return facts;
}
