import type { ReactElement } from 'react';
import type { KnownNode } from '../../../../src/core/protocol/fleet.ts';
import type { CountedEntry } from '../../../../src/core/protocol/models/entries.ts';
import type { Locks } from '../../../parts/access/locks-for.ts';
import type { Named, StoredDigests } from '../quantizations.ts';
import type { ListView, SortKey } from './list-models.ts';
import { ModelRow } from './model-row.tsx';
import { useOpened } from './use-opened.ts';

/** What is to be deleted. */
export interface Deleting extends Named {
  readonly bytes: number;
  /** The quantizations that stay. */
  readonly others: readonly string[];
}

/** What the table shows and can be asked for. */
export interface ModelTableProps {
  /** In the order of the list. */
  readonly entries: readonly CountedEntry[];
  /** When each model came, in milliseconds since 1970; 0 if it was there from the start. */
  readonly cameAt: ReadonlyMap<string, number>;
  readonly nodes: readonly KnownNode[];
  /** Of the models that are staged somewhere, as far as they are known. */
  readonly digests: ReadonlyMap<string, StoredDigests>;
  readonly view: ListView;
  readonly locks: Locks;
  readonly onSort: (key: SortKey) => void;
  readonly onDelete: (what: Deleting) => void;
}

/** What is in the store. */
export function ModelTable(props: ModelTableProps): ReactElement {
  const { entries, view, onSort } = props;
  const { opened, toggle } = useOpened();
  const column = { view, onSort };
  const largest = entries.reduce((most, { total_bytes }) => Math.max(most, total_bytes), 0);
  return (
    <table className="list models">
      <caption className="visually-hidden">Models in the store</caption>
      <thead>
        <tr>
          <SortHeader name="Model" sort="name" {...column} />
          <th scope="col" className="col-quantization wide-only">
            Quantization
          </th>
          <SortHeader name="Size" sort="size" className="number col-size" {...column} />
          <th scope="col" className="col-staged wide-only">
            Staged on
          </th>
          <SortHeader name="Last used" sort="used" className="col-age desk-only" {...column} />
          <SortHeader name="Added" sort="added" className="col-age vast-only" {...column} />
          <th scope="col" className="number col-files vast-only">
            Files
          </th>
          <th scope="col" className="actions">
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <ModelRow
            key={entry.model_id}
            entry={entry}
            largest={largest}
            isOpen={opened.has(entry.model_id)}
            onToggle={() => toggle(entry.model_id)}
            {...props}
          />
        ))}
      </tbody>
    </table>
  );
}

function SortHeader({
  name,
  sort,
  className,
  view,
  onSort,
}: {
  readonly name: string;
  readonly sort: SortKey;
  readonly className?: string;
  readonly view: ListView;
  readonly onSort: (key: SortKey) => void;
}): ReactElement {
  const isSorted = view.sort === sort;
  return (
    <th scope="col" className={className} aria-sort={isSorted ? (view.isDescending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" className="sort" onClick={() => onSort(sort)}>
        {name}
        <span className="sort-arrow" aria-hidden="true">
          {isSorted ? (view.isDescending ? '↓' : '↑') : ''}
        </span>
      </button>
    </th>
  );
}
