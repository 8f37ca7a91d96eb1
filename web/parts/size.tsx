import type { ReactElement } from 'react';
import { formatBytes } from './format.ts';

/** A size in bytes, and below it the share that it is of the largest one beside it. */
export function Size({ bytes, largest }: { readonly bytes: number; readonly largest: number }): ReactElement {
  return (
    <span className="size">
      {formatBytes(bytes)}
      <span className="share" aria-hidden="true">
        <span style={{ width: `${largest > 0 ? Math.min(100, (bytes / largest) * 100) : 0}%` }} />
      </span>
    </span>
  );
}
