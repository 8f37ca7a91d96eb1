import { type ReactElement, useId } from 'react';
import type { ActivityAction, ActivityEntry } from '../../../src/core/protocol/events.ts';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import { nameAsker } from '../../api/activity.ts';
import { Button } from '../../parts/button.tsx';
import { type LogFilter, toCsv } from './log-filter.ts';

/** The filter of the log, and a file with what it shows. */
export function LogTools({
  entries,
  found,
  nodes,
  filter,
  onFilter,
}: {
  readonly entries: readonly ActivityEntry[];
  readonly found: readonly ActivityEntry[];
  readonly nodes: readonly KnownNode[];
  readonly filter: LogFilter;
  readonly onFilter: (filter: LogFilter) => void;
}): ReactElement {
  const words = useId();
  const kind = useId();
  const who = useId();
  const failed = entries.filter(({ code }) => code !== null).length;
  const kinds = [...new Set([...entries.map(({ action }) => action), ...(filter.kind === '' ? [] : [filter.kind])])].toSorted();
  const people = [...new Set([...entries.map((entry) => nameAsker(entry, nodes)), ...(filter.who === '' ? [] : [filter.who])])];
  return (
    <div className="log-tools">
      <label htmlFor={words} className="visually-hidden">
        Model, machine or person
      </label>
      <input
        id={words}
        type="search"
        placeholder="Model or machine"
        value={filter.words}
        onChange={(event) => onFilter({ ...filter, words: event.target.value })}
      />
      <label htmlFor={kind} className="visually-hidden">
        Kind
      </label>
      <select id={kind} value={filter.kind} onChange={(event) => onFilter({ ...filter, kind: event.target.value as ActivityAction | '' })}>
        <option value="">Every kind</option>
        {kinds.map((one) => (
          <option key={one} value={one}>
            {one.replaceAll('-', ' ')}
          </option>
        ))}
      </select>
      <label htmlFor={who} className="visually-hidden">
        Person
      </label>
      <select id={who} value={filter.who} onChange={(event) => onFilter({ ...filter, who: event.target.value })}>
        <option value="">Everybody</option>
        {people
          .toSorted((a, b) => a.localeCompare(b, 'en'))
          .map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
      </select>
      <button
        type="button"
        className="chip"
        aria-pressed={filter.isFailedOnly}
        onClick={() => onFilter({ ...filter, isFailedOnly: !filter.isFailedOnly })}
      >
        Failed {failed}
      </button>
      <Button
        tone="quiet"
        icon="download"
        label="Save the listed entries as CSV"
        onClick={() => save('skulk-log.csv', toCsv(found, nodes))}
      >
        CSV
      </Button>
    </div>
  );
}

/** Has the browser save a text as a file. */
function save(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = name;
  link.click();
  // The browser has taken the content by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
