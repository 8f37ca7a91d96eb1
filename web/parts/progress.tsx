import { type ReactElement, useId } from 'react';
import { formatBytes, formatSeconds } from './format.ts';

/** Longer waits are guesses that help nobody. */
const maxSecondsLeft = 86_400;

/** How far something is that moves bytes: its share, its rate and the time left, each in a column of its own. */
export function Progress({
  label,
  note,
  isStopped = false,
  ...now
}: {
  readonly label: string;
  /** What it does while its bytes do not show it, in few words. */
  readonly note?: string | undefined;
  /** Whether nothing moves until somebody continues it. */
  readonly isStopped?: boolean;
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
}): ReactElement {
  const words = useId();
  const isKnown = now.bytes_total > 0;
  const { bytes_done: done, bytes_total: total, bytes_per_second: rate, seconds_left: left } = now;
  return (
    <div className={isStopped ? 'progress still' : 'progress'}>
      <progress aria-label={label} aria-describedby={words} {...(isKnown && { max: total, value: done })} />
      <span id={words} className="progress-words">
        {isKnown && (
          <span
            title={`${formatBytes(done)} of ${formatBytes(total)}`}
          >{`${Math.floor((done / total) * 100)} % of ${formatBytes(total)}`}</span>
        )}{' '}
        {isKnown && rate !== null && <span>{`${formatBytes(rate)}/s`}</span>}{' '}
        {isKnown && left !== null && left < maxSecondsLeft && <span>{`${formatSeconds(left)} left`}</span>}
        {note !== undefined && <span>{note}</span>}
      </span>
    </div>
  );
}
