import type { ProgressEvent } from '../../core/kernel/flow/events.ts';
import { secondsLeft } from '../../core/kernel/flow/time-left.ts';
import { formatBytes } from '../../core/kernel/units.ts';

/** One line about a piece of work: how far, how fast, how long still. */
export function describeProgress({ doing, subject, bytesDone, bytesTotal }: ProgressEvent, bytesPerSecond: number | undefined): string {
  const percent = bytesTotal === 0 ? 100 : Math.floor((bytesDone / bytesTotal) * 100);
  const details = [`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`];
  if (bytesPerSecond !== undefined) details.push(`${formatBytes(Math.round(bytesPerSecond))}/s`);
  const left = bytesPerSecond === undefined || bytesDone >= bytesTotal ? undefined : secondsLeft(bytesTotal - bytesDone, bytesPerSecond);
  if (left !== undefined) details.push(`${formatSeconds(left)} left`);
  return `${doing} ${subject}: ${percent}% (${details.join(', ')})`;
}

/** Seconds for a person: `42 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}
