import { useSyncExternalStore } from 'react';

/** As in the styles: below it a table shows only what matters most. */
const narrow = matchMedia('(max-width: 760px)');

function subscribe(listener: () => void): () => void {
  narrow.addEventListener('change', listener);
  return () => narrow.removeEventListener('change', listener);
}

/** Whether the screen is narrow, for what cannot be said in a style: how many columns a cell spans. */
export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => narrow.matches);
