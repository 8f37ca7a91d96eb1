const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes for a person: `1.5 GiB`, as the commands write them. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let step = 0;
  // What would be rounded to 1024 is one of the next.
  while (Math.abs(value) >= (step === 0 ? 1024 : 1023.5) && step < steps.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step === 0 ? value : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${steps[step]}`;
}

/** A duration in seconds: `45 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const units: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** How long ago a time is: `3 days ago`, `just now`. */
export function formatAge(iso: string, now: number): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return 'unknown';
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? [];
  return unit === undefined || size === undefined ? 'just now' : ago.format(-Math.floor(seconds / size), unit);
}

const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** A time of day and date, where the person is. */
export const formatDate = (iso: string): string => (Number.isNaN(Date.parse(iso)) ? 'unknown' : date.format(new Date(iso)));

/** `1 file`, `2 files`. */
export const plural = (count: number, word: string): string => `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;

/** What a download or a stage says of itself: `1.2 GiB of 4.7 GiB, 80 MiB/s, 45 s left`. */
export function describeProgress({
  bytes_done,
  bytes_total,
  bytes_per_second,
  seconds_left,
}: {
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
}): string {
  if (bytes_total === 0) return '';
  return [
    `${formatBytes(bytes_done)} of ${formatBytes(bytes_total)}`,
    ...(bytes_per_second === null ? [] : [`${formatBytes(bytes_per_second)}/s`]),
    ...(seconds_left === null ? [] : [`${formatSeconds(seconds_left)} left`]),
  ].join(', ');
}
