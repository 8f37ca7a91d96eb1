import type { ReactElement } from 'react';
import type { GivenOrder, KnownNode } from '../../../src/core/protocol/fleet.ts';
import { pathOfNode } from '../../parts/address/node-path.ts';
import { useApp, useNode } from '../../parts/app-context.ts';
import { Icon } from '../../parts/icon.tsx';
import { Link } from '../../parts/link.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Progress } from '../../parts/progress.tsx';
import { Sentence } from '../../parts/sentence.tsx';
import { BudgetLine } from './budget-line.tsx';
import { CopiesTable } from './copies-table.tsx';
import { NodeActs, NodeBadges, NodeFacts } from './node-head.tsx';
import { PendingOrders } from './pending-orders.tsx';

/** One machine: who it is, what it has staged, what would go next, what it still has to do. */
export function NodeCard({
  node,
  name,
  orders,
  isStoreHost,
  onPurge,
  onForget,
}: {
  readonly node: KnownNode;
  /** What it is called in the list. */
  readonly name: string;
  readonly orders: readonly GivenOrder[];
  readonly isStoreHost: boolean;
  /** @param modelId undefined: every model */
  readonly onPurge: (modelId: string | undefined) => void;
  readonly onForget: () => void;
}): ReactElement {
  const { identity } = useApp();
  const isOwn = node.node_id === identity.node_id;
  const title = `node-${node.node_id}`;
  const storage = useNode().topics.storage;
  const isUsedInPlace = isOwn && storage?.in_place === true;
  return (
    <section className="card node" aria-labelledby={title}>
      <header className="node-head">
        <div>
          <h2 id={title}>
            <span className={`dot ${node.connected ? 'live' : 'away'}`} aria-hidden="true" />
            <Link to={pathOfNode(node.node_id)} className="row-link">
              {name}
            </Link>{' '}
            <NodeBadges node={node} isStoreHost={isStoreHost} />
          </h2>
          <NodeFacts node={node} />
        </div>
        <NodeActs node={node} name={name} isStoreHost={isStoreHost} onPurge={() => onPurge(undefined)} onForget={onForget} />
      </header>
      {isOwn && storage !== undefined && storage.problem !== null && (
        <div className="callout bad" role="alert">
          <Icon name="warning" />
          <p>
            <Sentence text={storage.problem} />
          </p>
        </div>
      )}
      {isOwn && <OwnStaging />}
      {isUsedInPlace ? (
        <p className="muted">Models are used in place in the store, so nothing is copied or evicted.</p>
      ) : (
        <BudgetLine node={node} />
      )}
      <CopiesTable node={node} onPurge={onPurge} isSilent={isUsedInPlace} />
      <PendingOrders node={node} orders={orders} />
    </section>
  );
}

/** What this very machine is staging now. */
function OwnStaging(): ReactElement {
  const { topics } = useNode();
  const running = topics.staging?.jobs.filter(({ status }) => status === 'staging' || status === 'pending') ?? [];
  return (
    <>
      {running.map((job) => (
        <div key={job.model_id} className="node-staging">
          <ModelName id={job.model_id} />
          <Progress label={`Staging ${job.model_id}`} {...job} />
        </div>
      ))}
    </>
  );
}
