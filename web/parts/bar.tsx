import type { CSSProperties, ReactElement } from 'react';

/** A part of a bar; its kind chooses the colour. */
export interface BarPart {
  readonly kind: 'models' | 'other' | 'use' | 'unfinished' | 'over';
  readonly bytes: number;
}

/** How something is filled. The words beside it say the same, so it is a picture with a label. */
export function Bar({
  label,
  parts,
  total,
  mark,
}: {
  readonly label: string;
  readonly parts: readonly BarPart[];
  readonly total: number;
  /** A line at so many bytes. */
  readonly mark?: number | undefined;
}): ReactElement {
  const share = (bytes: number): string => `${total > 0 ? Math.min(100, (bytes / total) * 100) : 0}%`;
  return (
    <div className="bar" role="img" aria-label={label}>
      {parts.map(({ kind, bytes }, index) =>
        // An empty part would leave the line that divides it from the next.
        bytes <= 0 ? null : (
          // biome-ignore lint/suspicious/noArrayIndexKey: a part is its place in the bar
          <span key={index} className={`bar-part ${kind}`} style={{ width: share(bytes) }} />
        ),
      )}
      {mark !== undefined && <span className="bar-mark" style={{ '--at': share(mark) } as CSSProperties} />}
    </div>
  );
}
