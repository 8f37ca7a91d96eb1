import { objectOfActivity, resultOfActivity } from '../../../core/protocol/describe/activity.ts';
import type { ActivityEntry } from '../../../core/protocol/events.ts';
import { formatAge, formatBytes } from '../parts/format.ts';
import type { Column } from '../parts/lay-out.ts';

/** A change of the store, and who asked for it. */
export interface LogRow {
  readonly entry: ActivityEntry;
  readonly asker: string;
  /** Distinguishes it from others of the same millisecond. */
  readonly key: string;
}

/** The changes of the store as a table. */
export const logColumns = (now: Date): readonly Column<LogRow>[] => [
  { title: 'AGE', align: 'right', cell: ({ entry: { at } }) => ({ text: formatAge(at, now, ''), tone: 'quiet' }) },
  { title: 'WHO', maxWidth: 26, dropOrder: 1, cell: ({ asker }) => asker },
  { title: 'KIND', cell: ({ entry: { action } }) => action },
  { title: 'WHAT', flexMinWidth: 16, cut: 'middle', cell: ({ entry }) => subjectOf(entry) },
  {
    title: 'RESULT',
    maxWidth: 24,
    cell: ({ entry }) => {
      const { code, state, freed_bytes: freed = 0 } = entry;
      const text = freed > 0 && code === null ? `freed ${formatBytes(freed)}` : resultOfActivity(entry);
      return { text, tone: code !== null ? 'bad' : state === 'accepted' ? 'quiet' : 'good' };
    },
  },
];

/** The model with its quantization, or what else a change is about. */
const subjectOf = (entry: ActivityEntry): string =>
  entry.model_id === null ? objectOfActivity(entry) : `${entry.model_id}${entry.selector === null ? '' : `:${entry.selector}`}`;

/** The text for the filter. */
export const wordsOfLog = ({ entry, asker }: LogRow): string =>
  [
    asker,
    entry.from,
    entry.node,
    entry.action,
    subjectOf(entry),
    resultOfActivity(entry),
    entry.code === null ? '' : `failed ${entry.code}`,
  ].join(' ');

/** The rows of a part of the log; each keeps its key when newer entries come. Pure. */
export function logRows(entries: readonly ActivityEntry[], askers: readonly string[]): readonly LogRow[] {
  const counts = new Map<string, number>();
  return entries
    .map((entry, index) => ({ entry, asker: askers[index] ?? '' }))
    .toReversed()
    .map((row) => {
      const { at, action, model_id, target } = row.entry;
      const name = [at, action, model_id, target].join(' ');
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      return { ...row, key: `${name} ${count}` };
    })
    .toReversed();
}
