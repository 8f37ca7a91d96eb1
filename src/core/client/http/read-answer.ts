import { nameQuantizations } from '../../catalog/selection/name-quantizations.ts';
import { deriveTraits } from '../../catalog/traits.ts';
import { decode } from '../../protocol/decode.ts';
import { type StoreHealth, storeHealth } from '../../protocol/health.ts';
import { type DescribedEntry, namedQuantizations, registryEntry, traits } from '../../protocol/models.ts';
import { list, type Schema, type Shape } from '../../protocol/schema.ts';
import { notAStore } from './map-failure.ts';

/**
 * The document that an answer holds.
 * @param why what the answer is not, for the message: `its registry is not a list`
 * @throws SkulkError STORE_UNREACHABLE when the answer is no such document
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

/** A store's health. Throws STORE_UNREACHABLE. */
export const healthOf = (value: unknown, url: string): StoreHealth =>
  withOrigin(readAnswer(storeHealth, value, { url, why: 'its health answer is not that of a store' }));

/** Where the server says that others reach it is a host and a port, and nothing more. */
export const withOrigin = (health: StoreHealth): StoreHealth =>
  health.advertised === null ? health : { ...health, advertised: { ...health.advertised, url: new URL(health.advertised.url).origin } };

const entries = list(registryEntry);
const anyList = list({} as Schema);

/** A store's registry. Throws STORE_UNREACHABLE when it is no list. */
export const registryOf = (value: unknown, url: string): Shape<typeof entries> =>
  readAnswer(entries, value, { url, why: 'its registry is not a list' });

/** The same with what each model is; of an older store, and of the Python program, that follows from the files. */
export const describedOf = (value: unknown, url: string): readonly DescribedEntry[] =>
  readAnswer(anyList, value, { url, why: 'its registry is not a list' }).flatMap((item) => {
    const entry = decode(registryEntry, item);
    if (entry === undefined) return [];
    const { files } = entry;
    return {
      ...entry,
      ...(decode(traits, item) ?? deriveTraits({ modelId: entry.model_id, files })),
      quantizations: decode(namedQuantizations, item)?.quantizations ?? nameQuantizations(files.map((path) => ({ path }))),
    };
  });
