import { type RefObject, useCallback, useEffect, useState } from 'react';

/** A list whose new entries wait while its reader is scrolled down. */
export interface Held<T> {
  readonly shown: readonly T[];
  /** The number of new entries that are not shown yet. */
  readonly waiting: number;
  /** Shows them, and scrolls to them. */
  readonly release: () => void;
}

/** How many entries of a list are newer than those of an earlier state of it. Pure. */
export function countNewer<T>(now: readonly T[], before: readonly T[]): number {
  const [newest] = before;
  if (newest === undefined) return now.length;
  const text = JSON.stringify(newest);
  const index = now.findIndex((one) => JSON.stringify(one) === text);
  return index === -1 ? now.length : index;
}

/**
 * Keeps the rows under a reader's eyes in their place.
 * @param entries newest first
 * @param top the element at the top of the list; scrolled down means that its top is above the window
 */
export function useHeld<T>(entries: readonly T[], top: RefObject<HTMLElement | null>): Held<T> {
  const [held, setHeld] = useState(entries);
  useEffect(() => {
    const take = (): void => {
      if ((top.current?.getBoundingClientRect().top ?? 0) >= 0) setHeld(entries);
    };
    take();
    // Also of an element that scrolls inside the page.
    document.addEventListener('scroll', take, { capture: true, passive: true });
    return () => document.removeEventListener('scroll', take, { capture: true });
  }, [entries, top]);
  const release = useCallback(() => {
    setHeld(entries);
    top.current?.scrollIntoView({ block: 'start' });
  }, [entries, top]);
  const waiting = countNewer(entries, held);
  return { shown: waiting === 0 ? entries : held, waiting, release };
}
