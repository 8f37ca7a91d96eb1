import { useEffect, useLayoutEffect, useRef } from 'react';
import { neighbourOf } from './neighbour.ts';

const rows = 'tbody tr, .moves > li';
const targets = '.row-link, a[href], button:not(:disabled)';

/**
 * Gives the focus to the next row when the row that has it goes, also when a dialog closes later. Where no row is left,
 * the field of the filter gets it.
 */
export function useKeptFocus(part: HTMLElement | null): void {
  const last = useRef<{ readonly row: Element; readonly all: readonly Element[] }>(undefined);
  useEffect(() => {
    const ending = new AbortController();
    const remember = ({ target }: Event): void => {
      if (!(target instanceof Element) || target.closest('dialog') !== null) return;
      const row = part?.contains(target) === true ? target.closest(rows) : null;
      last.current = row === null ? undefined : { row, all: [...(part?.querySelectorAll(rows) ?? [])] };
    };
    // A click beside everything takes the focus away without giving it to anything.
    for (const event of ['focusin', 'pointerdown']) document.addEventListener(event, remember, { signal: ending.signal });
    return () => ending.abort();
  }, [part]);
  useLayoutEffect(() => {
    if (last.current === undefined) return;
    const { row, all } = last.current;
    if (row.isConnected) {
      last.current = { row, all: [...(part?.querySelectorAll(rows) ?? [])] };
      return;
    }
    if (document.querySelector('dialog[open]') !== null) return;
    const isLost = document.activeElement === null || document.activeElement === document.body;
    last.current = undefined;
    if (!isLost) return;
    const next = neighbourOf(all, row, (one) => one.isConnected)?.querySelector<HTMLElement>(targets);
    (next ?? document.querySelector<HTMLElement>('main input[type="search"]'))?.focus();
  });
}
