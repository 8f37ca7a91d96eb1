import { type ReactElement, useEffect, useState } from 'react';
import { lockAll, useLocks } from '../../parts/access/locks.ts';
import { ViewOnly } from '../../parts/access/view-only.tsx';
import { useInAddress } from '../../parts/address/use-in-address.ts';
import { useIsPythonHost, useNode, useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Empty } from '../../parts/empty.tsx';
import { formatTime } from '../../parts/format.ts';
import { pathOfModel } from '../../parts/model-path.ts';
import { navigate, useRoute } from '../../parts/route.ts';
import { Rates } from '../activity/rates.tsx';
import { useActivity } from '../activity/use-activity.ts';
import { OwnCopies } from '../nodes/own-copies.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { isUsuallyDescending, listAddress } from './list/list-address.ts';
import { listModels, type SortKey } from './list/list-models.ts';
import { ListTools } from './list/list-tools.tsx';
import { type Deleting, ModelTable } from './list/model-table.tsx';
import { Attention } from './moving/attention.tsx';
import { DownloadRow } from './moving/download-row.tsx';
import { useTroubles } from './moving/troubles.ts';
import { Optimizations } from './optimize/optimizations.tsx';
import { keyOfDownload } from './quantizations.ts';
import { Space } from './space.tsx';
import { UnfinishedUploads } from './uploads/unfinished-uploads.tsx';
import { useStaging } from './use-staging.ts';
import { useGuide } from './welcome/use-guide.ts';
import { Welcome } from './welcome/welcome.tsx';

const openAdd = (): void => navigate('/add');

/** What the store has: the first thing that one sees. */
export function StorePage(): ReactElement {
  const { topics, round, status, heardAt } = useStore();
  const guide = useGuide();
  useOldAddress();
  const [view, setView] = useInAddress(listAddress);
  const [deleting, setDeleting] = useState<Deleting>();
  const staging = useStaging();
  const { view: activity } = useActivity();
  const isPython = useIsPythonHost();
  const locks = lockAll(useLocks(), status === 'lost' ? 'The store does not answer now.' : undefined);
  const entries = topics.registry?.entries ?? [];
  const nodes = topics.nodes?.nodes ?? [];
  const all = topics.downloads?.downloads ?? [];
  const { troubles, dismiss } = useTroubles(all);
  const coming = all.filter(({ status }) => status === 'pending' || status === 'downloading');
  const here = new Set<string>(useNode().topics.storage?.models.map(({ model_id }) => model_id));
  const found = listModels(entries, view, { nodes, here });
  const sortBy = (sort: SortKey): void =>
    setView({ ...view, sort, isDescending: view.sort === sort ? !view.isDescending : isUsuallyDescending(sort) });
  const isKnown = topics.registry !== undefined;
  return (
    <>
      <div className="page-head">
        <h1>Store</h1>
        <Button tone="primary" icon="add" lock={locks.models} keys="a" onClick={openAdd}>
          Add a model
        </Button>
      </div>
      <ViewOnly />
      <OwnCopies />
      {guide.isShown && <Welcome guide={guide} onAdd={openAdd} onStage={staging.stage} />}
      {topics.health !== undefined && (
        <div className="overview">
          <Space health={topics.health} entries={entries} />
          {activity !== undefined && !isPython && <Rates view={activity} />}
        </div>
      )}
      <Attention troubles={troubles} lock={locks.models} onDismiss={dismiss} />
      <UnfinishedUploads />
      <Optimizations />
      {isKnown && entries.length + coming.length > 0 && (
        <section className="card flush" aria-label="Models">
          {status === 'lost' && heardAt > 0 && <p className="muted as-of">{`As of ${formatTime(heardAt)}`}</p>}
          <ListTools view={view} count={found.length} entries={entries} places={{ nodes, here }} onChange={setView} />
          {coming.length > 0 && (
            <ul className="moves" aria-label="Coming in">
              {coming.map((download) => (
                <DownloadRow key={keyOfDownload(download)} download={download} lock={locks.models} />
              ))}
            </ul>
          )}
          {found.length > 0 && (
            <ModelTable entries={found} nodes={nodes} view={view} locks={locks} onSort={sortBy} onDelete={setDeleting} />
          )}
          {entries.length > 0 && found.length === 0 && (
            <Empty title={view.words === '' ? 'No model matches the filter' : `No model matches “${view.words}”`}>
              <Button onClick={() => setView({ ...view, words: '', tags: [], place: 'all' })}>Clear the filter</Button>
            </Empty>
          )}
        </section>
      )}
      {isKnown && entries.length + coming.length === 0 && !guide.isShown && (
        <section className="card">
          <Empty title="The store is empty">
            <p className="muted">
              Add a model from Hugging Face, or add your own: <code>skulk add PATH --as ORG/NAME</code>.
            </p>
            <Button tone="primary" icon="add" lock={locks.models} onClick={openAdd}>
              Add a model
            </Button>
          </Empty>
        </section>
      )}
      {!isKnown && round === 0 && <p className="muted loading">Loading from the store…</p>}
      {deleting !== undefined && (
        <DeleteDialog
          named={deleting}
          bytes={deleting.bytes}
          others={deleting.others}
          nodes={nodes}
          onClose={() => setDeleting(undefined)}
        />
      )}
    </>
  );
}

/** A model once had the address `/?model=ORG/NAME`; links to it still work. */
function useOldAddress(): void {
  const modelId = useRoute().query.get('model');
  useEffect(() => {
    if (modelId !== null) navigate(pathOfModel(modelId), { replace: true });
  }, [modelId]);
}
