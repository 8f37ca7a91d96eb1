import type { ProgressEvent } from '../../core/kernel/flow/events.ts';
import { formatBytes } from '../../core/kernel/units.ts';

/** The transfer rate, as far as it is known. */
export interface Speed {
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
}

/** One line about a piece of work: progress, rate, and time left. */
export function describeProgress(
  { doing, subject, bytesDone, bytesTotal, from }: ProgressEvent,
  { bytesPerSecond, secondsLeft }: Speed,
): string {
  const percent = bytesTotal === 0 ? 100 : Math.floor((bytesDone / bytesTotal) * 100);
  const details = [`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`];
  if (bytesPerSecond !== null) details.push(`${formatBytes(bytesPerSecond)}/s`);
  if (secondsLeft !== null && bytesDone < bytesTotal) details.push(`${formatSeconds(secondsLeft)} left`);
  const others = from === undefined ? '' : ` ${from}`;
  return `${doing} ${subject}${others}: ${percent}% (${details.join(', ')})`;
}

/** Formats seconds: `42 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}
