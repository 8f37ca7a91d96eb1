import { formatBytes, formatSeconds } from '../../../core/kernel/units.ts';

export { formatAge, formatBytes, plural } from '../../../core/kernel/units.ts';

/** A time where the person is: `2026-11-24 22:10`; the text itself when it is no time. */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** Bytes a second; empty while it is not known. */
export const formatRate = (bytesPerSecond: number | null): string => (bytesPerSecond === null ? '' : `${formatBytes(bytesPerSecond)}/s`);

/** Seconds that are left; empty while it is not known. */
export const formatLeft = (seconds: number | null): string => (seconds === null ? '' : formatSeconds(seconds));
