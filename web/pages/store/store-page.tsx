import { type ReactElement, useEffect, useState } from 'react';
import { useLocks } from '../../parts/access/locks.ts';
import { lockAll } from '../../parts/access/locks-for.ts';
import { ViewOnly } from '../../parts/access/view-only.tsx';
import { useIsPythonHost, useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Empty } from '../../parts/empty.tsx';
import { formatTime } from '../../parts/format.ts';
import { pathOfModel } from '../../parts/model-path.ts';
import { navigate, useRoute } from '../../parts/route.ts';
import { Rates } from '../activity/rates.tsx';
import { useActivity } from '../activity/use-activity.ts';
import { OwnCopies } from '../nodes/own-copies.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { ModelList } from './list/model-list.tsx';
import type { Deleting } from './list/model-table.tsx';
import { Attention } from './moving/attention.tsx';
import { useTroubles } from './moving/troubles.ts';
import { sumUnfinished } from './moving/unfinished.ts';
import { Optimizations } from './optimize/optimizations.tsx';
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
  const [deleting, setDeleting] = useState<Deleting>();
  const staging = useStaging();
  const { view: activity } = useActivity();
  const isPython = useIsPythonHost();
  const locks = lockAll(useLocks(), status === 'lost' ? 'The store does not answer now.' : undefined);
  const entries = topics.registry?.entries ?? [];
  const nodes = topics.nodes?.nodes ?? [];
  const all = topics.downloads?.downloads ?? [];
  const { troubles, dismiss } = useTroubles(all);
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
          <Space health={topics.health} entries={entries} unfinished={sumUnfinished(all, topics.uploads?.uploads ?? []).bytes} />
          {activity !== undefined && !isPython && <Rates view={activity} />}
        </div>
      )}
      <Attention troubles={troubles} lock={locks.models} onDismiss={dismiss} />
      <UnfinishedUploads />
      <Optimizations />
      {isKnown && (
        <ModelList
          entries={entries}
          downloads={all}
          nodes={nodes}
          locks={locks}
          asOf={status === 'lost' && heardAt > 0 ? `As of ${formatTime(heardAt)}` : undefined}
          onDelete={setDeleting}
        >
          {!guide.isShown && <EmptyStore lock={locks.models} />}
        </ModelList>
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

function EmptyStore({ lock }: { readonly lock: string | undefined }): ReactElement {
  return (
    <section className="card">
      <Empty title="The store is empty">
        <p className="muted">
          Add a model from Hugging Face, or add your own: <code>skulk add PATH --as ORG/NAME</code>.
        </p>
        <Button tone="primary" icon="add" lock={lock} onClick={openAdd}>
          Add a model
        </Button>
      </Empty>
    </section>
  );
}

/** A model once had the address `/?model=ORG/NAME`; links to it still work. */
function useOldAddress(): void {
  const modelId = useRoute().query.get('model');
  useEffect(() => {
    if (modelId !== null) navigate(pathOfModel(modelId), { replace: true });
  }, [modelId]);
}
