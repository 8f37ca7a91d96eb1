import type { ReactElement } from 'react';
import type { GivenOrder, NodeOutcome } from '../../../../src/core/protocol/fleet.ts';
import { callOf } from '../../../api/call.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { useTask } from '../../../parts/use-task.ts';
import { formatNamed } from '../../store/quantizations.ts';
import { useMachineName } from '../../use-machine-name.ts';
import { describeStage } from './plan-stage.ts';

/** How far an order to stage is on one machine. */
export function StageState({ label, outcome }: { readonly label: string; readonly outcome: NodeOutcome }): ReactElement {
  const { progress, status } = outcome;
  const isMoving = status === 'pending' && progress !== undefined && progress.bytes_total > 0;
  return (
    <span className={status === 'failed' ? 'bad' : 'muted'}>
      {describeStage(outcome)}
      {isMoving && <Progress label={label} {...progress} bytes_per_second={null} seconds_left={null} />}
    </span>
  );
}

/** Cancels an order to stage, on every machine that has not carried it out. */
export function CancelOrder({ order }: { readonly order: GivenOrder }): ReactElement {
  const { client, tell } = useApp();
  const { models: lock } = useLocks();
  const task = useTask<GivenOrder>();
  const open = order.nodes.filter(({ status }) => status !== 'done' && status !== 'failed');
  const name = formatNamed({ modelId: order.model_id ?? '', selector: order.selector });
  const places = open.map(useMachineName()).join(', ');
  const cancel = async (): Promise<void> => {
    const call = callOf('DELETE /store/orders/:order', { order: order.order_id });
    if ((await task.change(() => client.send<GivenOrder>(call))) !== undefined)
      tell(`The pending stage of ${name} on ${places} was cancelled.`);
  };
  return (
    <>
      <Button icon="close" lock={lock} disabled={task.isBusy} onClick={() => void cancel()} label={`Cancel staging ${name} on ${places}`}>
        {open.length > 1 ? `Cancel on ${open.length}` : 'Cancel'}
      </Button>
      {task.error !== undefined && <Problem error={task.error} />}
    </>
  );
}
