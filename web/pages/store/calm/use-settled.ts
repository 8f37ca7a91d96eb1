import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'react';
import { useTopDialog } from '../../../parts/dialog.tsx';
import { type News, type Settled, settle } from './settle.ts';

/** What the list shows; `show` lets the models in that wait. */
export function useSettled(news: Omit<News, 'isHeld'>): Settled & { readonly show: () => void } {
  const before = useRef<Settled>(undefined);
  const [isAsked, setAsked] = useState(false);
  const [, lookAgain] = useReducer((count: number) => count + 1, 0);
  const isHeld = useTopDialog() !== undefined;
  const now = Date.now();
  const isRead = news.isRead && !isAsked;
  const settled = settle(before.current, { ...news, isRead, isHeld }, now);
  useLayoutEffect(() => {
    before.current = settled;
    if (isAsked) setAsked(false);
  });
  const { changesAt } = settled;
  useEffect(() => {
    if (changesAt === undefined) return;
    const timer = setTimeout(lookAgain, Math.max(0, changesAt - Date.now()));
    return () => clearTimeout(timer);
  }, [changesAt]);
  return { ...settled, show: () => setAsked(true) };
}
