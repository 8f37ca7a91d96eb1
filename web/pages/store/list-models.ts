import type { CountedEntry } from '../../../src/core/protocol/models.ts';

/** By what the list can be ordered. */
export type SortKey = 'name' | 'size' | 'added';

/** How the list is to be shown. */
export interface ListView {
  /** Words that must all be in a model's id, family or quantization. */
  readonly words: string;
  /** Tags that a model must all have. */
  readonly tags: readonly string[];
  readonly sort: SortKey;
  readonly isDescending: boolean;
}

/** The models that a person wants to see, in the order that they want. Pure. */
export function listModels(entries: readonly CountedEntry[], { words, tags, sort, isDescending }: ListView): readonly CountedEntry[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter((entry) => {
    const text = [entry.model_id, entry.family, entry.quantization].join(' ').toLowerCase();
    return wanted.every((word) => text.includes(word)) && tags.every((tag) => entry.tags.some((own) => own === tag));
  });
  const sign = isDescending ? -1 : 1;
  return found.toSorted((a, b) => sign * compare[sort](a, b) || compare.name(a, b));
}

const compare: Readonly<Record<SortKey, (a: CountedEntry, b: CountedEntry) => number>> = {
  name: (a, b) => a.model_id.localeCompare(b.model_id, 'en', { sensitivity: 'base' }),
  size: (a, b) => a.total_bytes - b.total_bytes,
  added: (a, b) => (a.downloaded_at < b.downloaded_at ? -1 : a.downloaded_at > b.downloaded_at ? 1 : 0),
};

/** The tags that there are, in the order of their names. */
export const tagsOf = (entries: readonly CountedEntry[]): readonly string[] => [...new Set(entries.flatMap(({ tags }) => tags))].toSorted();
