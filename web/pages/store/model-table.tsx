import type { ReactElement } from 'react';
import type { DownloadStatus } from '../../../src/core/protocol/downloads.ts';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import type { CountedEntry } from '../../../src/core/protocol/models.ts';
import type { StagingJob } from '../../../src/core/protocol/staging.ts';
import type { Locks } from '../../parts/access/locks.ts';
import { Age } from '../../parts/age.tsx';
import { Tags } from '../../parts/badge.tsx';
import { IconButton } from '../../parts/button.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { DownloadRow } from './download-row.tsx';
import type { ListView, SortKey } from './list-models.ts';
import { keyOfDownload, stagedOn } from './quantizations.ts';

/** What the table shows and can be asked for. */
export interface ModelTableProps {
  readonly entries: readonly CountedEntry[];
  readonly downloads: readonly DownloadStatus[];
  readonly nodes: readonly KnownNode[];
  readonly jobs: readonly StagingJob[];
  /** The ids of the models that are staged on the machine whose page this is. */
  readonly here: ReadonlySet<string>;
  readonly view: ListView;
  readonly locks: Locks;
  readonly onSort: (key: SortKey) => void;
  readonly onStage: (modelId: string) => void;
  readonly onDelete: (modelId: string) => void;
  readonly onDismiss: (download: DownloadStatus) => void;
}

/** What is in the store, and above it what is on its way there. */
export function ModelTable(props: ModelTableProps): ReactElement {
  const { entries, downloads, view, locks, onSort, onDismiss } = props;
  const column = { view, onSort };
  return (
    <table className="list models">
      <caption className="visually-hidden">Models in the store and downloads into it</caption>
      <thead>
        <tr>
          <SortHeader name="Model" sort="name" {...column} />
          <SortHeader name="Size" sort="size" className="number" {...column} />
          <th scope="col" className="number wide-only">
            Files
          </th>
          <SortHeader name="Added" sort="added" className="wide-only" {...column} />
          <th scope="col" className="wide-only">
            Staged
          </th>
          <th scope="col" className="actions">
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {downloads.map((download) => (
          <DownloadRow
            key={`${keyOfDownload(download)} ${download.status}`}
            download={download}
            lock={locks.models}
            onDismiss={() => onDismiss(download)}
          />
        ))}
        {entries.map((entry) => (
          <ModelRow key={entry.model_id} entry={entry} {...props} />
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

function ModelRow({
  entry,
  nodes,
  jobs,
  here,
  locks,
  onStage,
  onDelete,
}: ModelTableProps & { readonly entry: CountedEntry }): ReactElement {
  const { model_id, total_bytes, file_count, downloaded_at, tags } = entry;
  const others = stagedOn(nodes, { modelId: model_id }).length;
  const job = jobs.find((one) => one.model_id === model_id && (one.status === 'staging' || one.status === 'pending'));
  const isHere = here.has(model_id);
  const staged = job !== undefined ? `staging ${percentOf(job)}` : others > 0 ? plural(others, 'node') : isHere ? 'here' : '';
  return (
    <tr>
      <th scope="row">
        <Link to={`/?model=${encodeURIComponent(model_id)}`} className="row-link">
          <ModelName id={model_id} />
        </Link>
        <Tags tags={tags} />
        <p className="narrow-only muted row-more">
          {plural(file_count, 'file')} · <Age at={downloaded_at} />
          {staged !== '' && ` · ${staged === 'here' ? 'staged here' : staged.startsWith('staging') ? staged : `on ${staged}`}`}
        </p>
      </th>
      <td className="number">{formatBytes(total_bytes)}</td>
      <td className="number wide-only">{file_count.toLocaleString('en')}</td>
      <td className="wide-only">
        <Age at={downloaded_at} />
      </td>
      <td className="wide-only">
        {staged === '' ? <span className="muted">–</span> : staged}
        {isHere && staged !== 'here' && job === undefined && <span className="muted"> (here too)</span>}
      </td>
      <td className="actions">
        <IconButton
          icon="machine"
          label={`Stage ${model_id} on this machine`}
          disabled={job !== undefined}
          lock={locks.copiesHere}
          onClick={() => onStage(model_id)}
        />
        <IconButton icon="trash" label={`Delete ${model_id}`} lock={locks.models} onClick={() => onDelete(model_id)} />
      </td>
    </tr>
  );
}

const percentOf = ({ bytes_done, bytes_total }: StagingJob): string =>
  bytes_total === 0 ? '' : `${Math.floor((bytes_done / bytes_total) * 100)}%`;
