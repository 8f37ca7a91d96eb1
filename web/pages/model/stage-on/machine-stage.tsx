import { type ReactElement, useRef, useState } from 'react';
import type { GivenOrder } from '../../../../src/core/protocol/fleet.ts';
import { callOf } from '../../../api/call.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp } from '../../../parts/app-context.ts';
import { formatBytes } from '../../../parts/format.ts';
import { Icon } from '../../../parts/icon.tsx';
import { Menu } from '../../../parts/menu/menu.tsx';
import { MenuItem } from '../../../parts/menu/menu-item.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { useOutcomes } from '../../use-outcomes.ts';
import type { Machine } from './plan-stage.ts';
import type { Stageable } from './stage-menu.tsx';
import { StageState } from './stage-order.tsx';

/** Stages a model on one other machine. A model with several quantizations has a menu, in which one of them or all can be chosen. */
export function MachineStage({ machine, what }: { readonly machine: Machine; readonly what: Stageable }): ReactElement {
  const { client } = useApp();
  const { models: lock } = useLocks();
  const task = useTask<GivenOrder>();
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  const { node, name, obstacle } = machine;
  const { modelId, bytes, parts = [] } = what;
  const reason = lock ?? obstacle;
  const hasChoice = parts.length > 1;
  const verb = node.connected ? 'Stage' : 'Stage later';
  // A stage that failed is over and listed no more; only its own order says why.
  const failed = useOutcomes(task.result?.order_id, task.result?.nodes ?? []).find(({ status }) => status === 'failed');
  const stage = (selector?: string): void => {
    setOpen(false);
    const body = { nodes: [node.node_id], ...(selector !== undefined && { selector }) };
    void task.start((signal) => client.send<GivenOrder>(callOf('POST /store/models/:id/stage', { id: modelId }), body, signal));
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="button plain row-action"
        aria-label={`${verb} on ${name}`}
        aria-haspopup={hasChoice ? 'dialog' : undefined}
        aria-expanded={hasChoice ? isOpen : undefined}
        aria-disabled={reason !== undefined || undefined}
        title={reason}
        disabled={task.isBusy}
        onClick={reason !== undefined ? undefined : () => (hasChoice ? setOpen(true) : stage())}
      >
        {reason !== undefined && <Icon name="lock" />}
        {verb}
        {hasChoice && <Icon name="down" />}
      </button>
      {isOpen && (
        <Menu title={`Stage on ${name}`} anchor={button} onClose={() => setOpen(false)}>
          {parts.map(({ selector, bytes: size }) => (
            <MenuItem key={selector} icon="machine" onClick={() => stage(selector)}>
              {describe(selector, size)}
            </MenuItem>
          ))}
          <MenuItem icon="machine" onClick={() => stage()}>
            {describe(`All ${parts.length}`, bytes)}
          </MenuItem>
        </Menu>
      )}
      {task.error !== undefined && (
        <div className="machine-more">
          <Problem error={task.error} />
        </div>
      )}
      {failed !== undefined && (
        <div className="machine-more">
          <StageState label={`Staging on ${name}`} outcome={failed} />
        </div>
      )}
    </>
  );
}

const describe = (what: string, bytes: number | undefined): string => (bytes === undefined ? what : `${what}, ${formatBytes(bytes)}`);
