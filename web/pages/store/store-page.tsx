import { type ReactElement, useState } from 'react';
import type { DownloadStatus } from '../../../src/core/protocol/downloads.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { ViewOnly } from '../../parts/access/view-only.tsx';
import { useNode, useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Empty } from '../../parts/empty.tsx';
import { navigate, useRoute } from '../../parts/route.ts';
import { PurgeDialog, type PurgeTarget } from '../nodes/purge-dialog.tsx';
import { AddDialog } from './add/add-dialog.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { DetailsDialog } from './details-dialog.tsx';
import { type ListView, listModels, type SortKey, tagsOf } from './list-models.ts';
import { ListTools } from './list-tools.tsx';
import { ModelTable } from './model-table.tsx';
import { Optimizations } from './optimize/optimizations.tsx';
import { OptimizeDialog } from './optimize/optimize-dialog.tsx';
import { keyOfDownload, type Named } from './quantizations.ts';
import { Space } from './space.tsx';
import { UnfinishedUploads } from './uploads/unfinished-uploads.tsx';
import { useStaging } from './use-staging.ts';
import { useGuide } from './welcome/use-guide.ts';
import { Welcome } from './welcome/welcome.tsx';

/** What the store has: the first thing that one sees. */
export function StorePage(): ReactElement {
  const { topics, round } = useStore();
  const node = useNode();
  const guide = useGuide();
  const { query } = useRoute();
  const [view, setView] = useState<ListView>({ words: '', tags: [], sort: 'name', isDescending: false });
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  // What is looked up at once; empty where somebody is to type it.
  const [adding, setAdding] = useState<string>();
  const [deleting, setDeleting] = useState<Deleting>();
  const [purging, setPurging] = useState<PurgeTarget>();
  const [optimizing, setOptimizing] = useState<string>();
  const staging = useStaging();
  const locks = useLocks();
  const entries = topics.registry?.entries ?? [];
  const nodes = topics.nodes?.nodes ?? [];
  const shown = query.get('model');
  const downloads = (topics.downloads?.downloads ?? []).filter((one) => isOfInterest(one) && !dismissed.has(keyOf(one)));
  const found = listModels(entries, view);
  const sortBy = (sort: SortKey): void =>
    setView({ ...view, sort, isDescending: view.sort === sort ? !view.isDescending : sort !== 'name' });
  const isKnown = topics.registry !== undefined;
  return (
    <>
      <div className="page-head">
        <h1>Store</h1>
        <Button tone="primary" icon="add" disabled={!isKnown} lock={locks.models} onClick={() => setAdding('')}>
          Add a model
        </Button>
      </div>
      <ViewOnly />
      {guide.isShown && <Welcome guide={guide} onAdd={() => setAdding('')} onStage={staging.stage} />}
      {topics.health !== undefined && <Space health={topics.health} entries={entries} />}
      <UnfinishedUploads />
      <Optimizations />
      {isKnown && entries.length + downloads.length > 0 && (
        <section className="card flush" aria-label="Models">
          <ListTools view={view} tags={tagsOf(entries)} count={found.length} total={entries.length} onChange={setView} />
          <ModelTable
            entries={found}
            downloads={downloads}
            nodes={nodes}
            jobs={node.topics.staging?.jobs ?? []}
            here={new Set(node.topics.storage?.models.map(({ model_id }) => model_id))}
            view={view}
            locks={locks}
            onSort={sortBy}
            onStage={staging.stage}
            onDelete={(modelId) => setDeleting({ modelId })}
            onDismiss={(one) => setDismissed(new Set([...dismissed, keyOf(one)]))}
          />
          {entries.length > 0 && found.length === 0 && (
            <Empty title="No model matches">
              <Button onClick={() => setView({ ...view, words: '', tags: [] })}>Show all</Button>
            </Empty>
          )}
        </section>
      )}
      {isKnown && entries.length + downloads.length === 0 && !guide.isShown && (
        <section className="card">
          <Empty title="The store is empty">
            <p className="muted">
              Add a model from Hugging Face, or add your own: <code>skulk add PATH --as ORG/NAME</code>.
            </p>
            <Button tone="primary" icon="add" lock={locks.models} onClick={() => setAdding('')}>
              Add a model
            </Button>
          </Empty>
        </section>
      )}
      {!isKnown && round === 0 && <p className="muted loading">Loading from the store…</p>}
      {adding !== undefined && <AddDialog freeBytes={topics.health?.freeBytes} initial={adding} onClose={() => setAdding(undefined)} />}
      {shown !== null && isKnown && adding === undefined && deleting === undefined && purging === undefined && optimizing === undefined && (
        <DetailsDialog
          key={shown}
          modelId={shown}
          onStage={staging.stage}
          onAdd={() => setAdding(shown)}
          onOptimize={() => setOptimizing(shown)}
          onPurge={(selector) => setPurging({ node: undefined, modelId: shown, selector })}
          onDelete={(quantization) => setDeleting({ modelId: shown, ...quantization })}
          onClose={() => navigate('/')}
        />
      )}
      {deleting !== undefined && (
        <DeleteDialog
          named={deleting}
          bytes={deleting.bytes ?? entries.find(({ model_id }) => model_id === deleting.modelId)?.total_bytes}
          {...(deleting.others !== undefined && { others: deleting.others })}
          nodes={nodes}
          onClose={(isDone) => {
            setDeleting(undefined);
            if (isDone && shown === deleting.modelId && (deleting.others ?? []).length === 0) navigate('/', { replace: true });
          }}
        />
      )}
      {optimizing !== undefined && (
        <OptimizeDialog
          modelId={optimizing}
          onClose={(isStarted) => {
            setOptimizing(undefined);
            if (isStarted) navigate('/');
          }}
        />
      )}
      {purging !== undefined && <PurgeDialog target={purging} nodes={nodes} onClose={() => setPurging(undefined)} />}
    </>
  );
}

/** What is to be deleted: a model, or one of its quantizations. */
interface Deleting extends Named {
  readonly bytes?: number;
  readonly others?: readonly string[];
}

/** What is complete stands in the list as a model; what somebody stopped is of no interest. */
const isOfInterest = ({ status, error_code, warnings }: DownloadStatus): boolean =>
  status === 'complete' ? warnings.length > 0 : error_code !== 'CANCELLED';

/** A download that is asked for again is another one. */
const keyOf = (download: DownloadStatus): string => `${keyOfDownload(download)} ${download.updated_at}`;
