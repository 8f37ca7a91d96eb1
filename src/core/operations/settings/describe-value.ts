import { formatBytes } from '../../kernel/units.ts';

/** The value of a setting as it is typed; bytes also with a unit. Empty if it is not set. Pure. */
export function describeValue(name: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (/_bytes$/.test(name) && typeof value === 'number' && value >= 1024) return `${value} (${formatBytes(value)})`;
  return Array.isArray(value) ? value.join(', ') : String(value);
}
