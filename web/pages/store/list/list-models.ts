import type { KnownNode } from '../../../../src/core/protocol/fleet.ts';
import type { CountedEntry } from '../../../../src/core/protocol/models/entries.ts';
import { type Named, stagedOn } from '../quantizations.ts';

/** By what the list can be ordered. */
export type SortKey = 'name' | 'size' | 'added' | 'used';

/** Which models by where they are staged: all, those on this machine, those nowhere. */
export type Place = 'all' | 'here' | 'nowhere';

/** How the list is to be shown. */
export interface ListView {
  /** Words that must all be in a model's id, family or quantization. */
  readonly words: string;
  /** Tags that a model must all have. */
  readonly tags: readonly string[];
  readonly place: Place;
  readonly sort: SortKey;
  readonly isDescending: boolean;
}

/** When a model, or a quantization of it, was used last on any machine, ISO 8601; empty when it never was. Pure. */
export const lastUseOf = (nodes: readonly KnownNode[], named: Named): string =>
  stagedOn(nodes, named).reduce((latest, { copy }) => (copy.last_used > latest ? copy.last_used : latest), '');

/** The machines that may have copies. */
export interface Places {
  readonly nodes: readonly KnownNode[];
  /** The ids of the models that are staged on the machine whose page this is. */
  readonly here: ReadonlySet<string>;
}

/** Whether a model is staged at a place. Pure. */
export const isAt = (modelId: string, place: Place, { nodes, here }: Places): boolean =>
  place === 'all' || (place === 'here' ? here.has(modelId) : !here.has(modelId) && stagedOn(nodes, { modelId }).length === 0);

/** The models that a person wants to see, in the order that they want. Pure. */
export function listModels(
  entries: readonly CountedEntry[],
  { words, tags, place, sort, isDescending }: ListView,
  places: Places,
): readonly CountedEntry[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter((entry) => {
    const text = [entry.model_id, entry.family, entry.quantization].join(' ').toLowerCase();
    const isTagged = tags.every((tag) => entry.tags.some((own) => own === tag));
    return isTagged && wanted.every((word) => text.includes(word)) && isAt(entry.model_id, place, places);
  });
  const sign = isDescending ? -1 : 1;
  const used = new Map(sort === 'used' ? found.map(({ model_id }) => [model_id, lastUseOf(places.nodes, { modelId: model_id })]) : []);
  const compare: Readonly<Record<SortKey, (a: CountedEntry, b: CountedEntry) => number>> = {
    name: compareNames,
    size: (a, b) => a.total_bytes - b.total_bytes,
    added: (a, b) => compareTexts(a.downloaded_at, b.downloaded_at),
    used: (a, b) => compareTexts(used.get(a.model_id) ?? '', used.get(b.model_id) ?? ''),
  };
  return found.toSorted((a, b) => sign * compare[sort](a, b) || compareNames(a, b));
}

const compareNames = (a: CountedEntry, b: CountedEntry): number => a.model_id.localeCompare(b.model_id, 'en', { sensitivity: 'base' });
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The tags that there are, in the order of their names. */
export const tagsOf = (entries: readonly CountedEntry[]): readonly string[] => [...new Set(entries.flatMap(({ tags }) => tags))].toSorted();
