import type { RefParts } from '../../api/model-ref.ts';

/** What the page that adds models shows: a search, or one model of Hugging Face. */
export interface AddAddress {
  /** The words of the search; of a model, those that found it. */
  readonly words: string;
  /** The model that was opened. */
  readonly asked?: RefParts | undefined;
}

/** An id that can be a part of a path: no browser changes it. */
const plain = /^[A-Za-z0-9_][A-Za-z0-9._-]*\/[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** Whether a path is one of this page: `/add`, or `/add/ORG/NAME`. Pure. */
export const isAddPath = (path: string): boolean => path === '/add' || idOfPath(path) !== undefined;

function idOfPath(path: string): string | undefined {
  const id = /^\/add\/(.+)$/.exec(path)?.[1];
  return id !== undefined && plain.test(id) ? id : undefined;
}

/** Reads an address: `/add?q=WORDS`, `/add/ORG/NAME?revision=…&part=…`, or `/add?model=NAME` for any other name. Pure. */
export function parseAddAddress(path: string, query: URLSearchParams): AddAddress {
  const modelId = idOfPath(path) ?? query.get('model') ?? '';
  const words = query.get('q') ?? '';
  if (modelId === '') return { words };
  return { words, asked: { modelId, revision: query.get('revision') ?? undefined, selector: query.get('part') ?? undefined } };
}

/** Writes one. Pure. */
export function formatAddAddress({ words, asked }: AddAddress): string {
  const query = new URLSearchParams();
  if (asked !== undefined && !plain.test(asked.modelId)) query.append('model', asked.modelId);
  if (asked?.revision !== undefined) query.append('revision', asked.revision);
  if (asked?.selector !== undefined) query.append('part', asked.selector);
  if (words !== '') query.append('q', words);
  const path = asked !== undefined && plain.test(asked.modelId) ? `/add/${asked.modelId}` : '/add';
  return query.size === 0 ? path : `${path}?${query}`;
}
