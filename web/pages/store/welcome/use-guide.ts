import { useCallback, useEffect, useState } from 'react';
import { useApp, useNode, useStore } from '../../../parts/app-context.ts';

/** The first steps. */
export interface Guide {
  readonly isShown: boolean;
  readonly dismiss: () => void;
}

const begunKey = 'skulk-guide';
const dismissedKey = 'skulk-guide-dismissed';

/** Begins where nothing is configured and nothing stored, and stays until it is dismissed, so that it can be followed to its end. */
export function useGuide(): Guide {
  const { identity } = useApp();
  const { topics: store } = useStore();
  const { topics: node } = useNode();
  const [hasBegun, setBegun] = useState(() => sessionStorage.getItem(begunKey) !== null);
  const [isDismissed, setDismissed] = useState(() => localStorage.getItem(dismissedKey) !== null);
  const isFirstStart =
    identity.role === 'store' &&
    node.config?.path === null &&
    store.registry?.entries.length === 0 &&
    store.downloads?.downloads.length === 0;
  useEffect(() => {
    if (!isFirstStart) return;
    sessionStorage.setItem(begunKey, 'yes');
    setBegun(true);
  }, [isFirstStart]);
  const dismiss = useCallback(() => {
    localStorage.setItem(dismissedKey, 'yes');
    setDismissed(true);
  }, []);
  return { isShown: (isFirstStart || hasBegun) && !isDismissed, dismiss };
}
