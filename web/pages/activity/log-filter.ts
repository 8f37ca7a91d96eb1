import type { ActivityAction, ActivityEntry } from '../../../src/core/protocol/events.ts';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import { activityVerbs, nameAsker, objectOfActivity } from '../../api/activity.ts';
import type { AddressFormat } from '../../parts/address/address-format.ts';

/** Which entries of the log are shown. */
export interface LogFilter {
  /** Words of a model, a machine or a person. */
  readonly words: string;
  readonly isFailedOnly: boolean;
  /** Empty for every kind. */
  readonly kind: ActivityAction | '';
}

const isKind = (text: string): text is ActivityAction => Object.hasOwn(activityVerbs, text);

/** The filter of the log in the address: `q=qwen&failed=1&kind=delete`. */
export const logAddress: AddressFormat<LogFilter> = {
  parse: (query) => {
    const kind = query.get('kind') ?? '';
    return { words: query.get('q') ?? '', isFailedOnly: query.get('failed') === '1', kind: isKind(kind) ? kind : '' };
  },
  format: ({ words, isFailedOnly, kind }) =>
    new URLSearchParams([
      ...(words === '' ? [] : [['q', words]]),
      ...(isFailedOnly ? [['failed', '1']] : []),
      ...(kind === '' ? [] : [['kind', kind]]),
    ]),
};

/** Whether an entry is shown. Pure. */
export function isFound(entry: ActivityEntry, { words, isFailedOnly, kind }: LogFilter, nodes: readonly KnownNode[]): boolean {
  if ((isFailedOnly && entry.code === null) || (kind !== '' && entry.action !== kind)) return false;
  const { model_id, from, action } = entry;
  const text = [model_id, objectOfActivity(entry), nameAsker(entry, nodes), from, activityVerbs[action]].join(' ').toLowerCase();
  return text.includes(words.toLowerCase().trim());
}

const columns = ['time', 'who', 'from', 'action', 'model', 'quantization', 'target', 'result'];

/** A spreadsheet runs a cell that begins like a formula. */
const cell = (text: string): string => `"${text.replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;

/** Entries as a table for a spreadsheet. Pure. */
export function toCsv(entries: readonly ActivityEntry[], nodes: readonly KnownNode[]): string {
  const rows = entries.map((entry) => {
    const { at, from, action, model_id, selector, target, code } = entry;
    return [at, nameAsker(entry, nodes), from, action, model_id ?? '', selector ?? '', target ?? '', code ?? 'done'];
  });
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
