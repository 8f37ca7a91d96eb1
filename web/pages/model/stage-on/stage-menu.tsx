import { type ReactElement, type RefObject, useId, useState } from 'react';
import type { GivenOrder } from '../../../../src/core/protocol/fleet.ts';
import { callOf } from '../../../api/call.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp, useIsPythonHost, useStore } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { formatBytes } from '../../../parts/format.ts';
import { Menu } from '../../../parts/menu/menu.tsx';
import { MenuItem } from '../../../parts/menu/menu-item.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { formatNamed, type Named } from '../../store/quantizations.ts';
import { useOutcomes } from '../../use-outcomes.ts';
import { StageHereRow, StageThereRow } from './machine-row.tsx';
import { askAll, lackingIt, listMachines } from './plan-stage.ts';

/** What is to be staged, and its size in bytes; undefined while that is unknown. */
export interface Stageable extends Named {
  readonly bytes: number | undefined;
  /** The quantizations of a whole model with several, of which one can be chosen. */
  readonly parts?: readonly { readonly selector: string; readonly bytes: number | undefined }[];
}

/** The machines that can stage a model or one of its quantizations, this one first, each with its state; and how far each is. */
export function StageMenu({
  what,
  anchor,
  onClose,
}: {
  readonly what: Stageable;
  readonly anchor: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
}): ReactElement {
  const { client, identity } = useApp();
  const { models: lock } = useLocks();
  const { topics } = useStore();
  const isPython = useIsPythonHost();
  const task = useTask<GivenOrder>();
  const choice = useId();
  const { modelId, parts = [] } = what;
  const [chosen, setChosen] = useState<string>();
  const [isAsking, setAsking] = useState(false);
  const part = parts.find(({ selector }) => selector === chosen);
  const named: Named = { modelId, selector: part?.selector ?? what.selector };
  const bytes = (part ?? what).bytes;
  const fleet = { nodes: topics.nodes?.nodes ?? [], orders: topics.orders?.orders ?? [], ownId: identity.node_id };
  const selectors = parts.map(({ selector }) => selector);
  const machines = listMachines(fleet, named, bytes ?? 0, selectors);
  const own = machines.find(({ node }) => node.node_id === identity.node_id);
  const lacking = isPython ? [] : lackingIt(machines);
  // A stage that failed is over and listed no more; only its own order says why.
  const outcomes = useOutcomes(task.result?.order_id, task.result?.nodes ?? []);
  const give = (nodes: readonly string[]): void => {
    const body = { nodes, ...(named.selector !== undefined && { selector: named.selector }) };
    void task.start((signal) => client.send<GivenOrder>(callOf('POST /store/models/:id/stage', { id: modelId }), body, signal));
  };
  return (
    <Menu title={`Stage ${formatNamed(named)}`} anchor={anchor} size="large" onClose={onClose}>
      {parts.length > 1 && (
        <div className="field menu-field">
          <label htmlFor={choice}>Quantization</label>
          <select
            id={choice}
            value={chosen ?? ''}
            onChange={(event) => {
              setChosen(event.target.value === '' ? undefined : event.target.value);
              setAsking(false);
              task.reset();
            }}
          >
            <option value="">All {parts.length}</option>
            {parts.map(({ selector, bytes: size }) => (
              <option key={selector} value={selector}>
                {selector}
                {size !== undefined && `, ${formatBytes(size)}`}
              </option>
            ))}
          </select>
        </div>
      )}
      <ul className="menu-machines" aria-label="Machines">
        {own?.open === undefined && (
          <StageHereRow
            key={formatNamed(named)}
            named={named}
            parts={selectors}
            name={own?.name ?? identity.hostname}
            known={own}
            bytes={bytes}
          />
        )}
        {!isPython &&
          machines.map((machine) =>
            machine === own && own.open === undefined ? null : (
              <StageThereRow
                key={machine.node.node_id}
                machine={machine}
                isOwn={machine === own}
                named={named}
                bytes={bytes}
                last={outcomes.find(({ node }) => node === machine.node.node_id)}
                lock={lock}
                isBusy={task.isBusy}
                onStage={() => give([machine.node.node_id])}
              />
            ),
          )}
      </ul>
      {task.error !== undefined && <Problem error={task.error} />}
      {lacking.length > 1 && !isAsking && (
        <MenuItem icon="machine" lock={lock} onClick={() => setAsking(true)}>
          All {lacking.length} that lack it…
        </MenuItem>
      )}
      {lacking.length > 1 && isAsking && (
        <div className="menu-question">
          <p>{askAll(lacking, bytes)}</p>
          <div className="dialog-actions">
            <Button onClick={() => setAsking(false)}>Back</Button>
            <Button
              tone="primary"
              icon="machine"
              lock={lock}
              disabled={task.isBusy}
              takesFocus
              onClick={() => {
                give(lacking.map(({ node }) => node.node_id));
                setAsking(false);
              }}
            >
              {`Stage on ${lacking.length} machines`}
            </Button>
          </div>
        </div>
      )}
    </Menu>
  );
}
