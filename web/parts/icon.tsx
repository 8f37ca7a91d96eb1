import type { ReactElement } from 'react';

/** Lines on a grid of 16 by 16. */
const paths = {
  add: 'M8 3v10M3 8h10',
  check: 'M3 8.5 6.5 12 13 4.5',
  closed: 'M6 4l4 4-4 4',
  close: 'M4 4l8 8M12 4l-8 8',
  copy: 'M6 6h7v7H6zM10 6V3H3v7h3',
  download: 'M8 2.5v7.5M4.5 7 8 10.5 11.5 7M3 13.5h10',
  down: 'M4 6l4 4 4-4',
  folder: 'M2 4.5h4.5L8 6h6v7H2z',
  up: 'M8 13V4M4 7.5 8 3.5l4 4',
  key: 'M5.5 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM7.7 7.8 13 2.5M11 4.5l2 2M9.2 6.3l1.5 1.5',
  lock: 'M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  machine: 'M2 3.5h12v7.5H2zM5.5 13.5h5M8 11v2.5',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z',
  open: 'M6 3.5H3.5v9h9V10M9 3h4v4M13 3 7.5 8.5',
  play: 'M5 3.5 12 8 5 12.5z',
  retry: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.8 10.8 14 14',
  squeeze: 'M2 3v10M14 3v10M4.5 8h7M6.5 6 4.5 8l2 2M9.5 6l2 2-2 2',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.4M8 13.1v1.4M1.5 8h1.4M13.1 8h1.4M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1',
  system: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11',
  trash: 'M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4.5M9.2 7v4.5',
  verify: 'M8 1.8 13 3.6v4c0 3.2-2 5.4-5 6.6-3-1.2-5-3.4-5-6.6v-4zM5.6 8l1.8 1.8L10.6 6',
  warning: 'M8 2.5 14.2 13.5H1.8zM8 6.5v3.2M8 11.6v.2',
} as const;

/** The name of an icon. */
export type IconName = keyof typeof paths;

/** A small picture beside words, or in a button that has a label of its own. */
export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
