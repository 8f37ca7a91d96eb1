import { type ConfigChange, leavesOf, valueAt } from '../../config/change-file.ts';

/** A list of server names may have thousands of characters. */
const maxValueLength = 80;
const maxLength = 400;

/**
 * The changed settings in one line, for the log of changes: `lan: read (was node)`. Of a secret only its name. Pure.
 * @param change nested as in the file; null means the default
 * @param before the values before, nested as in the file, as far as they are known
 * @param isNews whether to name a value; all by default
 */
export function describeChanges(
  change: ConfigChange,
  before: unknown,
  isNews: (leaf: ReturnType<typeof leavesOf>[number]) => boolean = () => true,
): string {
  return cut(
    leavesOf(change)
      .filter(isNews)
      .map(([keys, value]) => {
        const name = keys.join('.');
        if (isSecret(keys)) return `${name}: ${value === null ? 'removed' : 'set, not shown'}`;
        const old = valueAt(before, keys);
        const was = old === undefined || JSON.stringify(old) === JSON.stringify(value) ? '' : ` (was ${shown(old)})`;
        return `${name}: ${value === null ? 'default' : shown(value)}${was}`;
      })
      .join(', '),
    maxLength,
  );
}

/** The names of the settings that a request would change, valid or not. Pure. */
export function namesOfChanges(change: unknown): string {
  try {
    return cut(
      leavesOf(Object(change) as ConfigChange)
        .map(([keys]) => keys.join('.'))
        .join(', '),
      maxLength,
    );
  } catch {
    return '';
  }
}

const isSecret = (keys: readonly string[]): boolean => /^(?:hf_)?token$|secret|password/.test(keys.at(-1) ?? '');

function shown(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'not set';
  return cut(Array.isArray(value) ? value.join(' ') : String(value), maxValueLength);
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
