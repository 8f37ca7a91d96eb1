import { formatBytes, formatSeconds } from '../../../core/kernel/units.ts';

export { formatBytes } from '../../../core/kernel/units.ts';

const units: readonly (readonly [unit: string, seconds: number])[] = [
  ['y', 31_557_600],
  ['mo', 2_629_800],
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
];

/** How long ago a time is: `3 d ago`, `just now`; empty for what is no time. Where a table says that already, it is `3 d` and `now`. */
export function formatAge(iso: string, now: Date, ago: '' | ' ago' = ' ago'): string {
  const seconds = (now.getTime() - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return '';
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? [];
  if (unit === undefined || size === undefined) return ago === '' ? 'now' : 'just now';
  return `${Math.floor(seconds / size)} ${unit}${ago}`;
}

/** A time where the person is: `2026-11-24 22:10`; the text itself when it is no time. */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** `1 file`, `2 files`. */
export const plural = (count: number, noun: string, many = `${noun}s`): string => `${count} ${count === 1 ? noun : many}`;

/** Bytes a second; empty while it is not known. */
export const formatRate = (bytesPerSecond: number | null): string => (bytesPerSecond === null ? '' : `${formatBytes(bytesPerSecond)}/s`);

/** Seconds that are left; empty while it is not known. */
export const formatLeft = (seconds: number | null): string => (seconds === null ? '' : formatSeconds(seconds));
