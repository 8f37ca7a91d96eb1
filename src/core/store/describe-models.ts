import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Card } from '../catalog/card.ts';
import type { Traits } from '../catalog/traits.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { DescribedEntry, RegistryEntry } from './contract.ts';
import { knownGgufFacts } from './known-gguf-facts.ts';
import type { StoreLayout } from './layout.ts';
import { readTraits } from './read-traits.ts';

/** As many models are looked at at one time. */
const atOnce = 16;
/** How long a list waits for the metadata of files that nobody has looked at yet. */
const patienceMs = 5_000;

/** Says what models are; looks again only at those whose entry or card changed. */
export function createDescriber(
  layout: StoreLayout,
  cards: readonly string[],
  readCardOf: (modelId: ModelId) => Promise<Card | undefined>,
): (entries: readonly RegistryEntry[]) => Promise<readonly DescribedEntry[]> {
  const known = new Map<ModelId, { readonly stamp: string; readonly traits: Traits }>();
  const describe = async (entry: RegistryEntry, late: Promise<void>): Promise<DescribedEntry> => {
    const { model_id, store_path, downloaded_at, total_bytes } = entry;
    const stamps = await Promise.all(cards.map((directory) => stampOf(join(directory, `${directoryName(model_id)}.toml`))));
    const stamp = [store_path, downloaded_at, total_bytes, ...stamps].join('\n');
    const cached = known.get(model_id);
    if (cached?.stamp === stamp) return { ...entry, ...cached.traits };
    const facts = knownGgufFacts(layout, entry);
    // With hundreds of models that nobody has looked at yet, the rest is there at the next look.
    const gguf = await Promise.race([facts, late.then(() => undefined)]);
    const traits = await readTraits(layout, entry, await readCardOf(model_id), gguf);
    if (gguf !== undefined || (await isSettled(facts))) known.set(model_id, { stamp, traits });
    return { ...entry, ...traits };
  };
  return async (entries) => {
    const described: DescribedEntry[] = [];
    const waiting = new AbortController();
    const late = sleep(patienceMs, undefined, { signal: waiting.signal, ref: false }).catch(() => undefined);
    for (let at = 0; at < entries.length; at += atOnce)
      described.push(...(await Promise.all(entries.slice(at, at + atOnce).map((entry) => describe(entry, late)))));
    waiting.abort();
    const ids = new Set(entries.map(({ model_id }) => model_id));
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    return described;
  };
}

const isSettled = (work: Promise<unknown>): Promise<boolean> => Promise.race([work.then(() => true), Promise.resolve(false)]);

const stampOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ mtimeMs, size }) => `${mtimeMs}:${size}`,
    () => '',
  );
