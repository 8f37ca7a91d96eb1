import { type ConfigChange, leavesOf, valueAt } from '../../config/change-file.ts';
import { secretKeys } from '../../config/shared-keys.ts';
import { describeValue } from './describe-value.ts';

/** A list of server names may have thousands of characters. */
const maxValueLength = 80;
const maxLength = 400;

/** The options of `describeChanges`. */
interface DescribeOptions {
  /** The values after the change, nested as in the file, if they are known: they say what a default is. */
  readonly after?: unknown;
  /** Whether to name a value; all by default. */
  readonly isNews?: (leaf: ReturnType<typeof leavesOf>[number]) => boolean;
  /** Whether not to cut long values. */
  readonly isWhole?: boolean;
}

/**
 * The changed settings in one line, for the log of changes and for users: `lan: read (was node)`. Of a secret only its name. Pure.
 * @param change nested as in the file; null means the default
 * @param before the values before, nested as in the file, as far as they are known
 */
export function describeChanges(
  change: ConfigChange,
  before: unknown,
  { after, isNews = () => true, isWhole = false }: DescribeOptions = {},
): string {
  const shown = (name: string, value: unknown): string =>
    cut(describeValue(name, value) || 'not set', isWhole ? Number.POSITIVE_INFINITY : maxValueLength);
  const line = leavesOf(change)
    .filter(isNews)
    .map(([keys, value]) => {
      const name = keys.join('.');
      if (secretKeys.includes(name)) return `${name}: ${value === null ? 'removed' : 'set, not shown'}`;
      const [is, was] = [valueAt(after, keys) ?? value, valueAt(before, keys)];
      const isSame = was === undefined || JSON.stringify(was) === JSON.stringify(is);
      return `${name}: ${is === null ? 'default' : shown(name, is)}${isSame ? '' : ` (was ${shown(name, was)})`}`;
    })
    .join(', ');
  return isWhole ? line : cut(line, maxLength);
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

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
