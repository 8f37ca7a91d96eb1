import { type ReactElement, useId } from 'react';
import { describeProgress } from './format.ts';

/** How far something is that moves bytes. */
export function Progress({
  label,
  ...now
}: {
  readonly label: string;
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
}): ReactElement {
  const words = useId();
  const isKnown = now.bytes_total > 0;
  const text = describeProgress(now);
  return (
    <div className="progress">
      <progress aria-label={label} aria-describedby={words} {...(isKnown && { max: now.bytes_total, value: now.bytes_done })} />
      <span id={words} className="progress-words">
        {isKnown ? `${Math.floor((now.bytes_done / now.bytes_total) * 100)}% · ${text}` : ''}
      </span>
    </div>
  );
}
