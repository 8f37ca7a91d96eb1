import { type ReactElement, useState } from 'react';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import { ViewOnly } from '../../parts/access/view-only.tsx';
import { useApp, useNode, useStore } from '../../parts/app-context.ts';
import { Command } from '../../parts/command.tsx';
import { Empty } from '../../parts/empty.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Link } from '../../parts/link.tsx';
import { Sentence } from '../../parts/sentence.tsx';
import { UnfinishedCopies } from '../activity/unfinished-copies.tsx';
import { nameMachines } from '../machine-names.ts';
import { BudgetLine } from './budget-line.tsx';
import { CopiesTable } from './copies-table.tsx';
import { DoingNow } from './doing-now.tsx';
import { ForgetDialog } from './forget-dialog.tsx';
import { NodeActs, NodeBadges, NodeFacts } from './node-head.tsx';
import { PendingOrders } from './pending-orders.tsx';
import { PurgeDialog, type PurgeTarget } from './purge-dialog.tsx';

/** One machine: its copies and their budget, what it does now, and what the store has asked of it. */
export function NodePage({ nodeId }: { readonly nodeId: string }): ReactElement {
  const { topics, round } = useStore();
  const [purging, setPurging] = useState<PurgeTarget>();
  const [forgetting, setForgetting] = useState<KnownNode>();
  const nodes = topics.nodes?.nodes ?? [];
  const node = nodes.find(({ node_id }) => node_id === nodeId);
  const name = nameMachines(nodes).get(nodeId) ?? nodeId;
  const isStoreHost = nodeId === topics.health?.nodeId;
  return (
    <>
      <div className="page-head node-page-head">
        <div>
          <nav aria-label="Where this is" className="muted">
            <Link to="/nodes">Nodes</Link>
          </nav>
          <h1>
            {node !== undefined && <span className={`dot ${node.connected ? 'live' : 'away'}`} aria-hidden="true" />}
            {name} {node !== undefined && <NodeBadges node={node} isStoreHost={isStoreHost} />}
          </h1>
          {node !== undefined && <NodeFacts node={node} />}
        </div>
        {node !== undefined && (
          <NodeActs
            node={node}
            name={name}
            isStoreHost={isStoreHost}
            onPurge={() => setPurging({ node, modelId: undefined })}
            onForget={() => setForgetting(node)}
          />
        )}
      </div>
      <ViewOnly />
      {topics.nodes === undefined && round === 0 && <p className="muted loading">Loading from the store…</p>}
      {topics.nodes !== undefined && node === undefined && (
        <section className="card">
          <Empty title={`The store does not know the machine ${nodeId}`}>
            <Link to="/nodes">All nodes</Link>
          </Empty>
        </section>
      )}
      {node !== undefined && <KnownMachine node={node} onPurge={(modelId) => setPurging({ node, modelId })} />}
      {forgetting !== undefined && <ForgetDialog node={forgetting} onClose={() => setForgetting(undefined)} />}
      {purging !== undefined && <PurgeDialog target={purging} nodes={nodes} onClose={() => setPurging(undefined)} />}
    </>
  );
}

function KnownMachine({ node, onPurge }: { readonly node: KnownNode; readonly onPurge: (modelId: string) => void }): ReactElement {
  const { identity } = useApp();
  const orders = useStore().topics.orders?.orders ?? [];
  const { storage } = useNode().topics;
  // Only the server of this page knows the paths of its copies.
  const own = node.node_id === identity.node_id ? storage : undefined;
  const isInPlace = own?.in_place === true;
  return (
    <>
      {own !== undefined && own.problem !== null && (
        <div className="callout bad" role="alert">
          <Icon name="warning" />
          <p>
            <Sentence text={own.problem} />
          </p>
        </div>
      )}
      <DoingNow node={node} orders={orders} />
      <PendingOrders node={node} orders={orders} />
      <section className="card node" aria-labelledby="copies">
        <header className="node-head">
          <div>
            <h2 id="copies">Staged copies</h2>
            <p className="muted">
              {plural(node.staged_models ?? 0, 'model')}, {formatBytes(node.staged_bytes ?? 0)}
            </p>
          </div>
        </header>
        {isInPlace ? (
          <p className="muted">Models are used in place in the store, so nothing is copied or evicted.</p>
        ) : (
          <BudgetLine node={node} />
        )}
        {own !== undefined && <Command text={own.staging_root} what="the directory of the copies" />}
        <CopiesTable
          node={node}
          isSilent={isInPlace}
          directories={new Map(own?.models.map(({ model_id, directory }) => [model_id, directory]))}
          onPurge={onPurge}
        />
      </section>
      {own !== undefined && <UnfinishedCopies />}
    </>
  );
}
