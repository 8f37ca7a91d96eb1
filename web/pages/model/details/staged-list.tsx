import type { ReactElement, ReactNode } from 'react';
import type { GivenOrder, KnownNode } from '../../../../src/core/protocol/fleet.ts';
import type { ShownModel } from '../../../../src/core/protocol/models/shown-model.ts';
import { Age } from '../../../parts/age.tsx';
import { useApp, useIsPythonHost, useNode, useStore } from '../../../parts/app-context.ts';
import { formatBytes } from '../../../parts/format.ts';
import { CopyState } from '../../copy-state.tsx';
import { olderParts, type StagedOn, stagedOn } from '../../store/quantizations.ts';
import { useMachineName } from '../../use-machine-name.ts';
import { MachineStage } from '../stage-on/machine-stage.tsx';
import { lackingIt, listMachines } from '../stage-on/plan-stage.ts';
import { CancelOrder, StageState } from '../stage-on/stage-order.tsx';
import { StageHere } from './stage-here.tsx';

/** Every machine, and what it has of a model: those with a copy first. */
export function StagedList({ model }: { readonly model: ShownModel }): ReactElement {
  const { topics } = useStore();
  const { identity } = useApp();
  const isPython = useIsPythonHost();
  const nodes = topics.nodes?.nodes ?? [];
  const orders = (topics.orders?.orders ?? []).filter(({ kind, model_id }) => kind === 'stage' && model_id === model.model_id);
  const copies = stagedOn(nodes, { modelId: model.model_id });
  const others = nodes
    .filter(({ node_id }) => !copies.some(({ node }) => node.node_id === node_id))
    .toSorted((a, b) => a.hostname.localeCompare(b.hostname));
  const what = {
    modelId: model.model_id,
    bytes: model.total_bytes,
    parts: (model.quantizations ?? []).map(({ selector, size_bytes }) => ({ selector, bytes: size_bytes })),
  };
  const fleet = { nodes, orders, ownId: identity.node_id };
  const selectors = what.parts.map(({ selector }) => selector);
  const askable = lackingIt(listMachines(fleet, { modelId: model.model_id }, model.total_bytes, selectors));
  /** This machine has the button at the top of the page. */
  const stageOn = (id: string): ReactElement | null => {
    const machine = askable.find(({ node }) => node.node_id === id && id !== identity.node_id);
    return machine === undefined ? null : <MachineStage machine={machine} what={what} />;
  };
  return (
    <section className="card flush" aria-labelledby="staged">
      <header className="card-head">
        <h2 id="staged">On your machines</h2>
      </header>
      <StageHere modelId={model.model_id} />
      {isPython && <HereAlone modelId={model.model_id} />}
      {!isPython && copies.length === 0 && <p className="muted card-line">No machine has reported a copy.</p>}
      <ul className="machines">
        {copies.map((copy) => (
          <Copy key={copy.node.node_id} {...copy} model={model} orders={orders}>
            {stageOn(copy.node.node_id)}
          </Copy>
        ))}
        {others.map((node) => (
          <li key={node.node_id} className="machine">
            <Name node={node} />
            {stageOn(node.node_id)}
            <span className="muted machine-more">
              not staged{node.free_bytes !== null && `, ${formatBytes(node.free_bytes)} free`}
              <Away node={node} />
            </span>
            <Asked node={node} orders={orders} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What this machine has, for a store that does not know its nodes. */
function HereAlone({ modelId }: { readonly modelId: string }): ReactElement {
  const { identity } = useApp();
  const copy = useNode().topics.storage?.models.find(({ model_id }) => model_id === modelId);
  return (
    <p className="muted card-line">
      {copy === undefined ? `Not staged on ${identity.hostname}.` : `Staged on ${identity.hostname}, ${formatBytes(copy.size_bytes)}.`} The
      Python Skulk does not know what other machines have.
    </p>
  );
}

function Copy({
  node,
  copy,
  whole,
  model,
  orders,
  children,
}: StagedOn & { readonly model: ShownModel; readonly orders: readonly GivenOrder[]; readonly children: ReactNode }): ReactElement {
  const parts = (whole.quantizations ?? []).flatMap(({ selector }) => selector ?? []);
  const older = olderParts(whole, model);
  return (
    <li className="machine">
      <Name node={node} />
      <CopyState copy={copy} />
      <span className="muted machine-more">
        {parts.map((selector) => (
          <span key={selector} className="label">
            {selector}
          </span>
        ))}{' '}
        {formatBytes(copy.size_bytes)}, used <Age at={copy.last_used} />
        <Away node={node} />
      </span>
      {older.length > 0 && (
        <span className="badge warn machine-more" title="Staging it again there updates it.">
          older copy{parts.length > 0 && `: ${older.join(', ')}`}
        </span>
      )}
      {children}
      <Asked node={node} orders={orders} />
    </li>
  );
}

/** What of the model the machine was asked to stage and has not staged yet. */
function Asked({ node, orders }: { readonly node: KnownNode; readonly orders: readonly GivenOrder[] }): ReactElement {
  return (
    <>
      {orders.map((order) => {
        const outcome = order.nodes.find((one) => one.node === node.node_id && one.status !== 'done');
        if (outcome === undefined) return null;
        return (
          <div key={order.order_id} className="machine-order">
            <span>
              {order.selector === undefined ? 'Stage' : <span className="label">{order.selector}</span>}:{' '}
              <StageState label={`Staging ${order.selector ?? order.model_id} on ${node.hostname}`} outcome={outcome} />
            </span>
            <CancelOrder order={order} />
          </div>
        );
      })}
    </>
  );
}

function Name({ node }: { readonly node: KnownNode }): ReactElement {
  const { identity } = useApp();
  const nameOf = useMachineName();
  return (
    <span className="machine-name">
      <span className={`dot ${node.connected ? 'live' : 'away'}`} aria-hidden="true" />
      <strong>{nameOf(node)}</strong> {node.node_id === identity.node_id && <span className="badge">this machine</span>}
    </span>
  );
}

function Away({ node: { connected, last_seen, agent } }: { readonly node: KnownNode }): ReactElement | null {
  if (connected) return null;
  return (
    <>
      ; {agent ? 'away' : 'no agent'}, last seen <Age at={last_seen} />
    </>
  );
}
