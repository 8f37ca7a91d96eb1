import { type ReactNode, useState } from 'react';
import type { DownloadStatus } from '../../../../src/core/protocol/downloads.ts';
import type { CountedEntry } from '../../../../src/core/protocol/models/entries.ts';
import { useInAddress } from '../../../parts/address/use-in-address.ts';
import { useNode } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Empty } from '../../../parts/empty.tsx';
import { plural } from '../../../parts/format.ts';
import { NewsButton } from '../../../parts/live/news-button.tsx';
import { useReader } from '../../../parts/live/use-reader.ts';
import { useKeptFocus } from '../calm/use-kept-focus.ts';
import { useSettled } from '../calm/use-settled.ts';
import { DownloadRow } from '../moving/download-row.tsx';
import { keyOfDownload } from '../quantizations.ts';
import { isUsuallyDescending, listAddress } from './list-address.ts';
import { listModels, type SortKey } from './list-models.ts';
import { ListTools } from './list-tools.tsx';
import { ModelTable, type ModelTableProps } from './model-table.tsx';
import { useDigests } from './use-digests.ts';

/** What comes in, and what the store has, with the tools to find something there. It stays calm under the hand of a reader. */
export function ModelList({
  entries,
  downloads,
  nodes,
  locks,
  asOf,
  onDelete,
  children,
}: Pick<ModelTableProps, 'nodes' | 'locks' | 'onDelete'> & {
  readonly entries: readonly CountedEntry[];
  readonly downloads: readonly DownloadStatus[];
  /** Says how old the data are; undefined while they are live. */
  readonly asOf: string | undefined;
  /** Stands instead of an empty list. */
  readonly children: ReactNode;
}): ReactNode {
  const [view, setView] = useInAddress(listAddress);
  const [part, setPart] = useState<HTMLDivElement | null>(null);
  const own = useNode().topics.storage?.models ?? [];
  const here = new Set<string>(own.map(({ model_id }) => model_id));
  const digests = useDigests(entries, { nodes, own });
  const wanted = listModels(entries, view, { nodes, here });
  const { moves, known, order, waiting, show } = useSettled({
    downloads,
    ids: entries.map(({ model_id }) => model_id),
    wanted: wanted.map(({ model_id }) => model_id),
    isRead: useReader(part),
  });
  useKeptFocus(part);
  if (entries.length + moves.length === 0) return children;
  const entryOf = new Map<string, CountedEntry>(entries.map((entry) => [entry.model_id, entry]));
  const shown = entries.filter(({ model_id }) => known.has(model_id));
  const listed = order.flatMap((id) => entryOf.get(id) ?? []);
  const sortBy = (sort: SortKey): void =>
    setView({ ...view, sort, isDescending: view.sort === sort ? !view.isDescending : isUsuallyDescending(sort) });
  return (
    <section className="card flush" aria-label="Models">
      {asOf !== undefined && <p className="muted as-of">{asOf}</p>}
      <ListTools view={view} count={listed.length} entries={shown} places={{ nodes, here }} onChange={setView} />
      <div ref={setPart} className="calm">
        <NewsButton words={waiting.length > 0 ? `${plural(waiting.length, 'new model')}, show` : undefined} onShow={show} />
        {moves.length > 0 && (
          <ul className="moves" aria-label="Coming in">
            {moves.map(({ download }) => (
              <DownloadRow key={keyOfDownload(download)} download={download} lock={locks.models} />
            ))}
          </ul>
        )}
        {listed.length > 0 && (
          <ModelTable
            entries={listed}
            cameAt={known}
            nodes={nodes}
            digests={digests}
            view={view}
            locks={locks}
            onSort={sortBy}
            onDelete={onDelete}
          />
        )}
      </div>
      {shown.length > 0 && listed.length === 0 && waiting.length === 0 && (
        <Empty title={view.words === '' ? 'No model matches the filter' : `No model matches “${view.words}”`}>
          <Button onClick={() => setView({ ...view, words: '', tags: [], place: 'all' })}>Clear the filter</Button>
        </Empty>
      )}
    </section>
  );
}
