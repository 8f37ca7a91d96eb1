import type { ReactElement } from 'react';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { pathOfNode } from '../../parts/address/node-path.ts';
import { useApp, useNode, useStore } from '../../parts/app-context.ts';
import { IconButton } from '../../parts/button.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { Link } from '../../parts/link.tsx';
import { nameMachines } from '../machine-names.ts';
import { BudgetBar } from './budget-line.tsx';
import { listDoing } from './list-doing.ts';
import { NodeBadges, NodeState } from './node-head.tsx';
import { describeBudget, sumBudget } from './sum-budget.ts';

/** Every machine in a row: who it is, what it has, how full its budget is, what it does now. Its page has the rest. */
export function NodesTable({
  nodes,
  onPurge,
}: {
  readonly nodes: readonly KnownNode[];
  readonly onPurge: (node: KnownNode) => void;
}): ReactElement {
  const names = nameMachines(nodes);
  return (
    <section className="card flush" aria-label="Machines">
      <table className="list nodes-list">
        <thead>
          <tr>
            <th scope="col">Machine</th>
            <th scope="col" className="wide-only">
              State
            </th>
            <th scope="col" className="number">
              Staged
            </th>
            <th scope="col" className="number desk-only">
              Free
            </th>
            <th scope="col" className="wide-only">
              Budget
            </th>
            <th scope="col" className="desk-only">
              Now
            </th>
            <th scope="col" className="actions">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <NodeRow key={node.node_id} node={node} name={names.get(node.node_id) ?? node.node_id} onPurge={() => onPurge(node)} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function NodeRow({ node, name, onPurge }: { readonly node: KnownNode; readonly name: string; readonly onPurge: () => void }): ReactElement {
  const { identity } = useApp();
  const { topics } = useStore();
  const { staging, storage } = useNode().topics;
  const { models: lock } = useLocks();
  const isOwn = node.node_id === identity.node_id;
  const doing = listDoing(node, topics.orders?.orders ?? [], isOwn ? (staging?.jobs ?? []) : undefined);
  const now = doing.map((line) => <li key={line}>{line}</li>);
  return (
    <tr>
      <th scope="row">
        <span className="node-name">
          <span className={`dot ${node.connected ? 'live' : 'away'}`} aria-hidden="true" />
          <Link to={pathOfNode(node.node_id)} className="row-link">
            <strong>{name}</strong>
          </Link>
          <NodeBadges node={node} isStoreHost={node.node_id === topics.health?.nodeId} />
        </span>
        <p className="muted row-more">
          <code>{node.node_id}</code> · skulk {node.version}
          {node.address !== null && ` · ${node.address}`}
        </p>
        <p className="muted row-more narrow-only">
          <NodeState node={node} />
        </p>
        {now.length > 0 && <ul className="plain muted row-more not-desk">{now}</ul>}
      </th>
      <td className="wide-only">
        <NodeState node={node} />
      </td>
      <td className="number">
        {node.staged_bytes === null ? '–' : formatBytes(node.staged_bytes)}
        {node.staged_models !== null && <p className="muted row-more">{plural(node.staged_models, 'model')}</p>}
      </td>
      <td className="number desk-only">{node.free_bytes === null ? '–' : formatBytes(node.free_bytes)}</td>
      <td className="wide-only">
        {isOwn && storage?.in_place === true ? <span className="muted">used in place</span> : <Budget node={node} />}
      </td>
      <td className="desk-only">{now.length > 0 ? <ul className="plain">{now}</ul> : <span className="muted">–</span>}</td>
      <td className="actions">
        <IconButton icon="trash" label={`Purge all on ${name}`} disabled={(node.staged_models ?? 0) === 0} lock={lock} onClick={onPurge} />
      </td>
    </tr>
  );
}

function Budget({ node }: { readonly node: KnownNode }): ReactElement {
  const sums = sumBudget(node);
  if (sums === undefined) return <span className="muted">–</span>;
  return (
    <>
      <BudgetBar sums={sums} />
      <p className="muted row-more">{describeBudget(sums, node.budget_bytes)}</p>
    </>
  );
}
