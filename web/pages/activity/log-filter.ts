import type { ActivityAction, ActivityEntry } from '../../../src/core/protocol/events.ts';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import { activityVerbs, nameAsker, objectOfActivity, resultOfActivity, verbOfActivity } from '../../api/activity.ts';
import type { AddressFormat } from '../../parts/address/address-format.ts';
import { reasonOf } from './reason-of.ts';

/** Which entries of the log are shown. */
export interface LogFilter {
  /** Words of a model, a machine or a person. */
  readonly words: string;
  readonly isFailedOnly: boolean;
  /** Empty for every kind. */
  readonly kind: ActivityAction | '';
  /** Who asked, as the log names them; empty for everybody. */
  readonly who: string;
}

const isKind = (text: string): text is ActivityAction => Object.hasOwn(activityVerbs, text);

/** The filter of the log in the address: `q=qwen&failed=1&kind=delete&who=anna`. */
export const logAddress: AddressFormat<LogFilter> = {
  parse: (query) => {
    const kind = query.get('kind') ?? '';
    return {
      words: query.get('q') ?? '',
      isFailedOnly: query.get('failed') === '1',
      kind: isKind(kind) ? kind : '',
      who: query.get('who') ?? '',
    };
  },
  format: ({ words, isFailedOnly, kind, who }) =>
    new URLSearchParams([
      ...(words === '' ? [] : [['q', words]]),
      ...(isFailedOnly ? [['failed', '1']] : []),
      ...(kind === '' ? [] : [['kind', kind]]),
      ...(who === '' ? [] : [['who', who]]),
    ]),
};

/** Whether an entry is shown. Pure. */
export function isFound(entry: ActivityEntry, { words, isFailedOnly, kind, who }: LogFilter, nodes: readonly KnownNode[]): boolean {
  if ((isFailedOnly && entry.code === null) || (kind !== '' && entry.action !== kind)) return false;
  const { model_id, from } = entry;
  const asker = nameAsker(entry, nodes);
  if (who !== '' && asker !== who) return false;
  const text = [model_id, objectOfActivity(entry), asker, from, verbOfActivity(entry), reasonOf(entry)].join(' ').toLowerCase();
  return text.includes(words.toLowerCase().trim());
}

const columns = ['time', 'who', 'from', 'action', 'model', 'quantization', 'target', 'result', 'freed_bytes'];

/** A spreadsheet runs a cell that begins like a formula. */
const cell = (text: string): string => `"${text.replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;

/** Entries as a table for a spreadsheet. Pure. */
export function toCsv(entries: readonly ActivityEntry[], nodes: readonly KnownNode[]): string {
  const rows = entries.map((entry) => {
    const { at, from, action, model_id, selector, target, code, freed_bytes: freed } = entry;
    return [
      at,
      nameAsker(entry, nodes),
      from,
      action,
      model_id ?? '',
      selector ?? '',
      target ?? '',
      code ?? resultOfActivity(entry),
      freed === undefined ? '' : String(freed),
    ];
  });
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
