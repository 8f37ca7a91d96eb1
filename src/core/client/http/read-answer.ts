import { readInstalledCard } from '../../catalog/card-table.ts';
import { whyNotModelFile } from '../../catalog/model-files.ts';
import type { FoundCard } from '../../catalog/read-card.ts';
import { nameQuantizations } from '../../catalog/selection/name-quantizations.ts';
import { deriveTraits } from '../../catalog/traits.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { decode } from '../../protocol/decode.ts';
import { type StoreHealth, storeHealth } from '../../protocol/health.ts';
import { type DescribedEntry, namedQuantizations, registryEntry, traits } from '../../protocol/models/entries.ts';
import { list, type Schema, type Shape } from '../../protocol/schema.ts';
import { notAStore } from './map-failure.ts';

/**
 * Parses an answer as a document.
 * @param why the problem of an invalid answer, for the message: `its registry is not a list`
 * @throws SkulkError STORE_UNREACHABLE if the answer is not such a document
 */
export function readAnswer<S extends Schema>(
  schema: S,
  value: unknown,
  { url, why }: { readonly url: string; readonly why: string },
): Shape<S> {
  const found = decode(schema, value);
  if (found === undefined) throw notAStore(url, why);
  return found;
}

/** Parses a store's health. Throws STORE_UNREACHABLE. */
export const healthOf = (value: unknown, url: string): StoreHealth =>
  withOrigin(readAnswer(storeHealth, value, { url, why: 'its health answer is not that of a store' }));

/** Limits the announced address to a host and a port. */
export const withOrigin = (health: StoreHealth): StoreHealth =>
  health.advertised === null ? health : { ...health, advertised: { ...health.advertised, url: new URL(health.advertised.url).origin } };

const entries = list(registryEntry);
const anyList = list({} as Schema);

/** Parses a store's registry. Throws STORE_UNREACHABLE if it is not a list. */
export const registryOf = (value: unknown, url: string): Shape<typeof entries> =>
  readAnswer(entries, value, { url, why: 'its registry is not a list' });

/** The same with descriptions; for an older store, and for the Python program, they are derived from the files. */
export const describedOf = (value: unknown, url: string): readonly DescribedEntry[] =>
  readAnswer(anyList, value, { url, why: 'its registry is not a list' }).flatMap((item) => {
    const entry = decode(registryEntry, item);
    if (entry === undefined) return [];
    const known = decode(traits, item);
    // The Python program also lists files that do not belong to the model, such as partial downloads.
    const named = decode(namedQuantizations, item);
    const files = known === undefined ? entry.files.filter((path) => whyNotModelFile(path) === undefined) : entry.files;
    return {
      ...entry,
      files,
      ...(known ?? deriveTraits({ modelId: entry.model_id, files, card: cardIn(item, entry.model_id) })),
      quantizations: named?.quantizations ?? nameQuantizations(files.map((path) => ({ path }))),
      ...(named?.quantizations_of_repo !== undefined && { quantizations_of_repo: named.quantizations_of_repo }),
      ...(named?.problems !== undefined && { problems: named.problems }),
    };
  });

/** Later releases of the Python program send their card with the entry. */
export function cardIn(item: unknown, modelId: ModelId): FoundCard | undefined {
  const { installed_card: record } = Object(item) as { readonly installed_card?: unknown };
  const card = record == null ? undefined : readInstalledCard(record);
  return card === undefined || 'says' in card || card.modelId !== modelId ? undefined : { ...card, from: 'python' };
}
