import { type ReactElement, useState } from 'react';
import { useLocks } from '../../parts/access/locks.ts';
import { ViewOnly } from '../../parts/access/view-only.tsx';
import { useIsPythonHost, useStore } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Empty } from '../../parts/empty.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { NodesTable } from './nodes-table.tsx';
import { OwnCopies } from './own-copies.tsx';
import { PurgeDialog, type PurgeTarget } from './purge-dialog.tsx';

/** Every machine that uses the store. */
export function NodesPage(): ReactElement {
  const { topics, round } = useStore();
  const { models: lock } = useLocks();
  const [purging, setPurging] = useState<PurgeTarget>();
  const nodes = topics.nodes?.nodes ?? [];
  const isPython = useIsPythonHost();
  const staged = nodes.reduce((sum, { staged_bytes }) => sum + (staged_bytes ?? 0), 0);
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Nodes</h1>
          {nodes.length > 0 && (
            <p className="muted">
              {plural(nodes.length, 'machine')}, {formatBytes(staged)} staged in total
            </p>
          )}
        </div>
        {!isPython && (
          <Button icon="trash" disabled={staged === 0} lock={lock} onClick={() => setPurging({ node: undefined, modelId: undefined })}>
            Purge everywhere…
          </Button>
        )}
      </div>
      <ViewOnly />
      {isPython && (
        <p className="muted">
          The store host is the Python Skulk, which does not know its nodes. <code>skulk purge-staging</code> removes the copies on this
          machine.
        </p>
      )}
      <OwnCopies isShown={isPython} />
      {!isPython && topics.nodes !== undefined && nodes.length === 0 && (
        <section className="card">
          <Empty title="No machine has reported yet">
            <p className="muted">
              A machine appears here when it runs <code>skulk serve</code>, or stages a model of the store.
            </p>
          </Empty>
        </section>
      )}
      {topics.nodes === undefined && round === 0 && <p className="muted loading">Loading from the store…</p>}
      {nodes.length > 0 && <NodesTable nodes={nodes} onPurge={(node) => setPurging({ node, modelId: undefined })} />}
      {purging !== undefined && <PurgeDialog target={purging} nodes={nodes} onClose={() => setPurging(undefined)} />}
    </>
  );
}
