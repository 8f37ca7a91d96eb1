import type { Key } from './read-keys.ts';

/** The position of a list. */
export interface ListState {
  /** The filter; every word must be in the row. */
  readonly words: string;
  /** The row of the cursor: its key, and its last index in case it disappears. */
  readonly chosen: { readonly key: string | undefined; readonly index: number };
  /** The first visible row. */
  readonly top: number;
}

/** A list at its beginning. */
export const newList: ListState = { words: '', chosen: { key: undefined, index: 0 }, top: 0 };

/** The cursor and the visible rows. The cursor stays on its row when that moves. Pure. */
export function placeList(
  { chosen, top }: ListState,
  keys: readonly string[],
  height: number,
): { readonly index: number; readonly top: number } {
  const found = chosen.key === undefined ? -1 : keys.indexOf(chosen.key);
  const index = Math.max(0, Math.min(keys.length - 1, found === -1 ? chosen.index : found));
  const rows = Math.max(1, height);
  const lowest = Math.max(0, keys.length - rows);
  return { index, top: Math.max(0, Math.min(lowest, Math.max(index - rows + 1, Math.min(index, top)))) };
}

const steps: Readonly<Record<Key, (index: number, page: number) => number>> = {
  up: (index) => index - 1,
  k: (index) => index - 1,
  down: (index) => index + 1,
  j: (index) => index + 1,
  'page-up': (index, page) => index - page,
  'ctrl-b': (index, page) => index - page,
  'page-down': (index, page) => index + page,
  'ctrl-f': (index, page) => index + page,
  home: () => 0,
  g: () => 0,
  end: () => Number.MAX_SAFE_INTEGER,
  G: () => Number.MAX_SAFE_INTEGER,
};

/** The list after a key that moves its cursor; undefined for any other key. Pure. */
export function moveInList(state: ListState, key: Key, keys: readonly string[], height: number): ListState | undefined {
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined;
  if (step === undefined) return undefined;
  const now = placeList(state, keys, height);
  const index = Math.max(0, Math.min(keys.length - 1, step(now.index, Math.max(1, height - 1))));
  const moved = { ...state, chosen: { key: keys[index], index } };
  return { ...moved, top: placeList({ ...moved, top: now.top }, keys, height).top };
}

/** Whether a text contains all words, ignoring case. Pure. */
export function hasWords(text: string, words: string): boolean {
  const low = text.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => low.includes(word));
}
