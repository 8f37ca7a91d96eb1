import type { ReactElement } from 'react';
import type { GivenOrder, KnownNode } from '../../../src/core/protocol/fleet.ts';
import type { ReportedCopy } from '../../../src/core/protocol/models.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { Age } from '../../parts/age.tsx';
import { useApp, useNode } from '../../parts/app-context.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { formatBytes } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Progress } from '../../parts/progress.tsx';
import { Sentence } from '../../parts/sentence.tsx';
import { CopyState } from '../copy-state.tsx';
import { BudgetLine } from './budget-line.tsx';
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
  const { models: lock, nodes: forgetLock } = useLocks();
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
            {name} {isOwn && <span className="badge">this machine</span>}
            {isStoreHost && <span className="badge">store host</span>}
          </h2>
          <p className="muted">
            {node.connected ? 'connected' : <Seen node={node} />} · <code>{node.node_id}</code> · skulk {node.version}
            {node.address !== null && ` · ${node.address}`}
          </p>
        </div>
        <div className="node-acts">
          {!node.connected && !isOwn && !isStoreHost && (
            <Button lock={forgetLock} onClick={onForget} label={`Forget ${name}`}>
              Forget…
            </Button>
          )}
          <Button
            icon="trash"
            disabled={(node.staged_models ?? 0) === 0}
            lock={lock}
            onClick={() => onPurge(undefined)}
            label={`Purge all on ${name}`}
          >
            Purge all…
          </Button>
        </div>
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
      <Copies node={node} onPurge={onPurge} isSilent={isUsedInPlace} />
      <PendingOrders node={node} orders={orders} />
    </section>
  );
}

function Seen({ node: { last_seen, agent } }: { readonly node: KnownNode }): ReactElement {
  return (
    <>
      {agent ? 'away' : 'no agent'}, last seen <Age at={last_seen} />
    </>
  );
}

function Copies({
  node,
  onPurge,
  isSilent,
}: {
  readonly node: KnownNode;
  readonly onPurge: (modelId: string) => void;
  readonly isSilent: boolean;
}): ReactElement | null {
  const { models: lock } = useLocks();
  const { copies, staged_models, hostname } = node;
  if (copies === null && (staged_models ?? 0) > 0)
    return <p className="muted">{staged_models} staged; it does not report single copies.</p>;
  if (copies === null || copies.length === 0) return isSilent ? null : <p className="muted">Nothing is staged here.</p>;
  return (
    <table className="list copies">
      <caption className="visually-hidden">Staged copies on {hostname}</caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col" className="number">
            Size
          </th>
          <th scope="col" className="wide-only">
            Last use
          </th>
          <th scope="col">State</th>
          <th scope="col" className="actions">
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {copies.map((copy) => (
          <tr key={copy.model_id}>
            <th scope="row">
              <ModelName id={copy.model_id} />
              <Parts copy={copy} />
              <p className="narrow-only muted row-more">
                used <Age at={copy.last_used} />
              </p>
            </th>
            <td className="number">{formatBytes(copy.size_bytes)}</td>
            <td className="wide-only">
              <Age at={copy.last_used} />
            </td>
            <td>
              <CopyState copy={copy} />
            </td>
            <td className="actions">
              <IconButton icon="trash" label={`Purge ${copy.model_id} on ${hostname}`} lock={lock} onClick={() => onPurge(copy.model_id)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The quantizations of a copy, newest use first, where it has any. */
function Parts({ copy: { quantizations = [] } }: { readonly copy: ReportedCopy }): ReactElement | null {
  const names = quantizations.flatMap(({ selector }) => selector ?? []);
  return names.length === 0 ? null : <p className="muted row-more">{names.join(', ')}</p>;
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
