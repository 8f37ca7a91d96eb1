import { type ReactElement, useId, useState } from 'react';
import type { GivenOrder, NodeOutcome } from '../../../../src/core/protocol/fleet.ts';
import type { ShownModel } from '../../../../src/core/protocol/models.ts';
import { callOf } from '../../../api/call.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp, useStore } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
import { formatBytes } from '../../../parts/format.ts';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { formatNamed, type Named } from '../../store/quantizations.ts';
import { useOutcomes } from '../../use-outcomes.ts';
import { askAll, lackingIt, listMachines, type Machine } from './plan-stage.ts';
import { CancelOrder, StageState } from './stage-order.tsx';

/** Choosing the machines that stage a model or one of its quantizations, and how far each is. */
export function StageOnDialog({ model, onClose }: { readonly model: ShownModel; readonly onClose: () => void }): ReactElement {
  const { client, identity } = useApp();
  const { models: lock } = useLocks();
  const { topics } = useStore();
  const task = useTask<GivenOrder>();
  const choice = useId();
  const { model_id: modelId, quantizations = [], total_bytes } = model;
  const [selector, setSelector] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  const named = { modelId, selector };
  const bytes = quantizations.find((one) => one.selector === selector)?.size_bytes ?? total_bytes;
  const fleet = { nodes: topics.nodes?.nodes ?? [], orders: topics.orders?.orders ?? [], ownId: identity.node_id };
  const machines = listMachines(fleet, named, bytes);
  const lacking = lackingIt(machines);
  // A stage that failed is over and listed no more; only its own order says why.
  const outcomes = useOutcomes(task.result?.order_id, task.result?.nodes ?? []);
  const give = (nodes: readonly string[]): Promise<GivenOrder | undefined> => {
    const body = { nodes, ...(selector !== undefined && { selector }) };
    return task.start((signal) => client.send<GivenOrder>(callOf('POST /store/models/:id/stage', { id: modelId }), body, signal));
  };
  return (
    <Dialog title={`Stage ${formatNamed(named)}`} onClose={onClose}>
      {quantizations.length > 1 && (
        <div className="field">
          <label htmlFor={choice}>Quantization</label>
          <select
            id={choice}
            value={selector ?? ''}
            onChange={(event) => {
              setSelector(event.target.value === '' ? undefined : event.target.value);
              setAsking(false);
              task.reset();
            }}
          >
            <option value="">All {quantizations.length}</option>
            {quantizations.map((one) => (
              <option key={one.selector} value={one.selector}>
                {one.selector}, {formatBytes(one.size_bytes)}
              </option>
            ))}
          </select>
        </div>
      )}
      <ul className="machines stage-on" aria-label="Machines">
        {machines.map((machine) => (
          <Row
            key={machine.node.node_id}
            machine={machine}
            named={named}
            bytes={bytes}
            last={outcomes.find(({ node }) => node === machine.node.node_id)}
            lock={lock}
            isBusy={task.isBusy}
            onStage={() => void give([machine.node.node_id])}
          />
        ))}
      </ul>
      {machines.length === 0 && <p className="muted">No machine has reported to the store.</p>}
      {task.error !== undefined && <Problem error={task.error} />}
      {isAsking && lacking.length > 0 && <p>{askAll(lacking, bytes)}</p>}
      <div className="dialog-actions">
        <Button onClick={isAsking ? () => setAsking(false) : onClose}>{isAsking ? 'Back' : 'Close'}</Button>
        {lacking.length > 1 && (
          <Button
            icon="machine"
            tone={isAsking ? 'primary' : 'plain'}
            lock={lock}
            disabled={task.isBusy}
            onClick={() => {
              if (isAsking) void give(lacking.map(({ node }) => node.node_id));
              setAsking(!isAsking);
            }}
          >
            {isAsking ? `Stage on ${lacking.length} machines` : `All ${lacking.length} that lack it…`}
          </Button>
        )}
      </div>
    </Dialog>
  );
}

function Row({
  machine: { node, name, hasCopy, open, obstacle, tightBytes },
  named,
  bytes,
  last,
  lock,
  isBusy,
  onStage,
}: {
  readonly machine: Machine;
  readonly named: Named;
  readonly bytes: number;
  /** What became of the last order of this dialog there. */
  readonly last: NodeOutcome | undefined;
  readonly lock: string | undefined;
  readonly isBusy: boolean;
  readonly onStage: () => void;
}): ReactElement {
  const { identity } = useApp();
  const outcome = open?.outcome ?? (last?.status === 'failed' ? last : undefined);
  const label = `Staging ${formatNamed(named)} on ${name}`;
  return (
    <li className="machine">
      <span className="machine-name">
        <span className={`dot ${node.connected ? 'live' : 'away'}`} aria-hidden="true" />
        <strong>{name}</strong> {node.node_id === identity.node_id && <span className="badge">this machine</span>}
      </span>
      {open === undefined ? (
        <Button
          icon="machine"
          lock={lock ?? obstacle}
          disabled={isBusy}
          onClick={onStage}
          label={`${node.connected ? 'Stage' : 'Stage later'}${hasCopy ? ' again' : ''} on ${name}`}
        >
          {node.connected ? 'Stage' : 'Stage later'}
          {hasCopy && ' again'}
        </Button>
      ) : (
        <CancelOrder order={open.order} />
      )}
      <span className="machine-more muted">
        {outcome === undefined ? (
          <>
            {hasCopy ? 'has it' : 'not staged'}
            {!node.connected && ', away'}
            {obstacle !== undefined && `; ${obstacle}`}
            {tightBytes === undefined
              ? !hasCopy && node.free_bytes !== null && `, ${formatBytes(node.free_bytes)} free`
              : `; needs ${formatBytes(bytes)}, ${formatBytes(tightBytes)} free`}
          </>
        ) : (
          <StageState label={label} outcome={outcome} />
        )}
      </span>
    </li>
  );
}
