import { useSyncExternalStore } from 'react';

/** The same width as in the styles: below it a table shows only the most important columns. */
const narrow = matchMedia('(max-width: 760px)');

function subscribe(listener: () => void): () => void {
  narrow.addEventListener('change', listener);
  return () => narrow.removeEventListener('change', listener);
}

/** Whether the screen is narrow, for values that a style cannot set: the number of columns of a cell. */
export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => narrow.matches);
