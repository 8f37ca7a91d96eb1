import { flag, object, oneOf, orNull, type Shape, sha256 } from '../schema.ts';
import { registryEntry } from './entries.ts';

/** The result of an adoption. */
export const adopted = object({
  entry: registryEntry,
  digest: sha256(),
  outcome: oneOf(['added', 'adopted', 'replaced', 'unchanged']),
});
export type Adopted = Shape<typeof adopted>;

/** What the store has under the id of a model that is about to be added. */
export const foundPlace = object({
  entry: orNull(registryEntry, 'The model of that id; null if there is none'),
  is_untouched: flag('Whether its files are those of its manifest, as far as their sizes and dates tell'),
});
export type FoundPlace = Shape<typeof foundPlace>;
