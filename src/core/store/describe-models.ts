import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Card } from '../catalog/card.ts';
import type { Traits } from '../catalog/traits.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { DescribedEntry, RegistryEntry } from './contract.ts';
import { readTraits } from './read-traits.ts';

/** As many models are looked at at one time. */
const atOnce = 16;

/** Says what models are; looks again only at those whose entry or card changed. */
export function createDescriber(
  root: string,
  cards: readonly string[],
  readCardOf: (modelId: ModelId) => Promise<Card | undefined>,
): (entries: readonly RegistryEntry[]) => Promise<readonly DescribedEntry[]> {
  const known = new Map<ModelId, { readonly stamp: string; readonly traits: Traits }>();
  const describe = async (entry: RegistryEntry): Promise<DescribedEntry> => {
    const { model_id, store_path, downloaded_at, total_bytes } = entry;
    const stamps = await Promise.all(cards.map((directory) => stampOf(join(directory, `${directoryName(model_id)}.toml`))));
    const stamp = [store_path, downloaded_at, total_bytes, ...stamps].join('\n');
    const cached = known.get(model_id);
    if (cached?.stamp === stamp) return { ...entry, ...cached.traits };
    const traits = await readTraits(root, entry, await readCardOf(model_id));
    known.set(model_id, { stamp, traits });
    return { ...entry, ...traits };
  };
  return async (entries) => {
    const described: DescribedEntry[] = [];
    for (let at = 0; at < entries.length; at += atOnce)
      described.push(...(await Promise.all(entries.slice(at, at + atOnce).map(describe))));
    const ids = new Set(entries.map(({ model_id }) => model_id));
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    return described;
  };
}

const stampOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ mtimeMs, size }) => `${mtimeMs}:${size}`,
    () => '',
  );
