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

/** How long ago a time is: `6 min ago`, `3 days ago`, `just now`. Short, so that it fits a column. */
export function formatAge(iso: string, now: number): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return 'unknown';
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? [];
  if (unit === undefined || size === undefined) return 'just now';
  const amount = Math.floor(seconds / size);
  const short = { minute: 'min', hour: 'h' }[unit as string];
  return short === undefined ? ago.format(-amount, unit) : `${amount} ${short} ago`;
}

const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** A time of day and date, where the person is. */
export const formatDate = (iso: string): string => (Number.isNaN(Date.parse(iso)) ? 'unknown' : date.format(new Date(iso)));

const timeOfDay = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });

/** A time of day where the person is: `14:02`. @param ms since 1970 */
export const formatTime = (ms: number): string => timeOfDay.format(new Date(ms));

/** A count of parameters: `30.5B`, `137M`. */
export function formatCount(count: number): string {
  const [size, letter] = count >= 999.5e6 ? [1e9, 'B'] : count >= 999.5e3 ? [1e6, 'M'] : [1e3, 'K'];
  const value = count / (size as number);
  return `${value >= 99.95 ? Math.round(value) : value.toFixed(1)}${letter}`;
}

/** `1 file`, `2 files`. @param words the plural, where it is not made by an s */
export const plural = (count: number, word: string, words = `${word}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? word : words}`;
