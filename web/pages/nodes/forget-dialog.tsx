import type { ReactElement } from 'react';
import type { KnownNode } from '../../../src/core/protocol/fleet.ts';
import { callOf } from '../../api/call.ts';
import { useApp } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { plural } from '../../parts/format.ts';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';
import { useMachineName } from '../use-machine-name.ts';

/** Asks before a machine that is gone leaves the list, with its pending orders. */
export function ForgetDialog({ node, onClose }: { readonly node: KnownNode; readonly onClose: () => void }): ReactElement {
  const { client, tell } = useApp();
  const task = useTask<object>();
  const name = useMachineName()(node);
  const forget = async (): Promise<void> => {
    const call = callOf('DELETE /store/nodes/:node', { node: node.node_id });
    if ((await task.change(() => client.send<object>(call))) === undefined) return;
    tell(`${name} was forgotten.`);
    onClose();
  };
  return (
    <Dialog title={`Forget ${name}?`} onClose={onClose}>
      <p>
        It leaves this list
        {node.pending_orders > 0 &&
          `, and ${plural(node.pending_orders, 'order')} that it has not carried out ${node.pending_orders === 1 ? 'is' : 'are'} dropped`}
        . Its copies stay on its disk. It comes back when it reports again.
      </p>
      {task.error !== undefined && <Problem error={task.error} />}
      <div className="dialog-actions">
        <Button disabled={task.isBusy} takesFocus onClick={onClose}>
          Keep it
        </Button>
        <Button tone="danger" disabled={task.isBusy} onClick={() => void forget()}>
          Forget {name}
        </Button>
      </div>
    </Dialog>
  );
}
