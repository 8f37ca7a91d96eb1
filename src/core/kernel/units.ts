import { SkulkError } from './errors.ts';

const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Formats bytes for a user: `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let step = 0;
  // A value that would round to 1024 moves to the next unit.
  while (Math.abs(value) >= (step === 0 ? 1024 : 1023.5) && step < steps.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step === 0 ? value : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${steps[step]}`;
}

const factors: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Parses an amount such as `100M`, `1.5GiB` or `512` into bytes, in powers of 1024; undefined for anything else. */
export function parseByteCount(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = Number(match?.[1]) * (factors[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN);
  return Number.isFinite(bytes) ? Math.floor(bytes) : undefined;
}

/**
 * Parses a rate such as `100M`, `1.5G`, `512KiB/s` into bytes per second. `K`, `M`, `G` are powers of 1024, as in curl.
 * @throws SkulkError USAGE
 */
export function parseRate(text: string): number {
  const rate = parseByteCount(text.trim().replace(/\/s$/i, ''));
  if (rate !== undefined && rate >= 1) return rate;
  throw new SkulkError('USAGE', `"${text}" is not a rate`, { hint: 'use bytes per second, e.g. 500K, 100M or 1.5G' });
}

const secondsOf: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
const maxSeconds = 3650 * 86_400;

/**
 * Parses a duration such as `90s`, `10m`, `1h30m` or `2d` into milliseconds.
 * @throws SkulkError USAGE
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim().toLowerCase();
  const parts = [...trimmed.matchAll(/(\d{1,9}(?:\.\d{1,3})?)([smhd])/g)];
  const seconds = parts.reduce((sum, [, amount = '', unit = '']) => sum + Number(amount) * (secondsOf[unit] ?? Number.NaN), 0);
  if (parts.length > 0 && parts.map(([whole]) => whole).join('') === trimmed && seconds > 0 && seconds <= maxSeconds)
    return Math.round(seconds * 1000);
  throw new SkulkError('USAGE', `"${text}" is not a duration`, { hint: 'use e.g. 90s, 10m, 1h30m or 2d' });
}

/** Formats a duration in seconds: `45s`, `3m20s` or `2h05m`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
}

const ages: readonly (readonly [unit: string, seconds: number])[] = [
  ['y', 31_557_600],
  ['mo', 2_629_800],
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
];

/** Formats the age of a time: `3 d ago`, `just now`; empty for an invalid time. Without the suffix, for a table: `3 d` and `now`. */
export function formatAge(iso: string, now: Date, ago: '' | ' ago' = ' ago'): string {
  const seconds = (now.getTime() - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return '';
  const [unit, size] = ages.find(([, length]) => seconds >= length) ?? [];
  if (unit === undefined || size === undefined) return ago === '' ? 'now' : 'just now';
  return `${Math.floor(seconds / size)} ${unit}${ago}`;
}

/** A count with its noun: `1 file`, `2 files`. */
export const plural = (count: number, noun: string, many = `${noun}s`): string => `${count} ${count === 1 ? noun : many}`;
