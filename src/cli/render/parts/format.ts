import { formatBytes, formatSeconds } from '../../../core/kernel/units.ts';

export { formatAge, formatBytes, plural } from '../../../core/kernel/units.ts';

/** A time in the local time zone: `2026-11-24 22:10`; an invalid time stays as it is. */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** Bytes per second; empty while unknown. */
export const formatRate = (bytesPerSecond: number | null): string => (bytesPerSecond === null ? '' : `${formatBytes(bytesPerSecond)}/s`);

/** The seconds left; empty while unknown. */
export const formatLeft = (seconds: number | null): string => (seconds === null ? '' : formatSeconds(seconds));
