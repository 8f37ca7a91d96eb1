import { type ReactElement, useState } from 'react';
import type { Deleted, KnownNode } from '../../../src/core/protocol/fleet.ts';
import { callOf } from '../../api/call.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { Age } from '../../parts/age.tsx';
import { useApp, useIsPythonHost, useNode } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { formatBytes } from '../../parts/format.ts';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';
import { InUse } from '../copy-state.tsx';
import { Outcomes } from '../outcomes.tsx';
import { useMachineName } from '../use-machine-name.ts';
import { freedBy, useOutcomes } from '../use-outcomes.ts';
import { formatNamed, type Named, stagedOn } from './quantizations.ts';

/** Deleting a model, or one quantization of it, everywhere: what goes where, then what became of it. */
export function DeleteDialog({
  named,
  bytes,
  others = [],
  nodes,
  onClose,
}: {
  readonly named: Named;
  readonly bytes: number | undefined;
  /** The quantizations that stay. */
  readonly others?: readonly string[];
  readonly nodes: readonly KnownNode[];
  readonly onClose: (isDone: boolean) => void;
}): ReactElement {
  const { client, identity } = useApp();
  const nameOf = useMachineName();
  const name = formatNamed(named);
  const task = useTask<Deleted>();
  const first = task.result?.nodes ?? [];
  const outcomes = useOutcomes(task.result?.order?.order_id, first);
  const { models: lock } = useLocks();
  const isPython = useIsPythonHost();
  const [isForced, setForced] = useState(false);
  // What it was when the dialog was opened; the list changes while the nodes delete.
  const own = useNode().topics.storage?.models.find(({ model_id }) => model_id === named.modelId);
  // That store does not know the copy on this machine.
  const [plan] = useState(() => ({ bytes: bytes ?? 0, copies: stagedOn(nodes, named), here: isPython ? own : undefined }));
  const total = plan.copies.reduce((sum, { copy }) => sum + copy.size_bytes, plan.bytes + (plan.here?.size_bytes ?? 0));
  const isUsed = plan.here?.in_use === true || plan.copies.some(({ copy }) => copy.in_use);
  const remove = async (): Promise<void> => {
    const query = { wait_ms: 5000, force: isForced };
    const { modelId, selector } = named;
    const call =
      selector === undefined
        ? callOf('DELETE /store/models/:id', { id: modelId }, query)
        : callOf('DELETE /store/models/:id/quantizations/:selector', { id: modelId, selector }, query);
    await task.start((signal) => client.send<Deleted>(call, undefined, signal));
  };
  if (task.result !== undefined)
    return (
      <Dialog title={`${name} was deleted`} onClose={() => onClose(true)}>
        <div role="status">
          <p>{formatBytes(task.result.freed_bytes - freedBy(first) + freedBy(outcomes))} freed.</p>
          <Outcomes nodes={outcomes} />
        </div>
        <div className="dialog-actions">
          <Button tone="primary" takesFocus onClick={() => onClose(true)}>
            Close
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={`Delete ${name}?`} onClose={() => onClose(false)}>
      {named.selector === undefined ? (
        <p>
          {isPython
            ? 'This removes the canonical copy and the copy on this machine. Copies on other machines stay, because the Python Skulk does not know them. It cannot be undone.'
            : 'This removes the canonical copy and every machine’s staged copy. It cannot be undone.'}
        </p>
      ) : (
        <p>
          This removes {named.selector} from the store and from every machine. It cannot be undone.{' '}
          {others.length > 0
            ? `${others.join(', ')} ${others.length === 1 ? 'stays' : 'stay'}.`
            : 'It is the only quantization, so the whole model is deleted.'}
        </p>
      )}
      <dl className="freed">
        <div>
          <dt>The store</dt>
          <dd>{formatBytes(plan.bytes)}</dd>
        </div>
        {plan.here !== undefined && (
          <div>
            <dt>
              {identity.hostname} {plan.here.in_use && <InUse />}
            </dt>
            <dd>{formatBytes(plan.here.size_bytes)}</dd>
          </div>
        )}
        {plan.copies.map(({ node, copy }) => (
          <div key={node.node_id}>
            <dt>
              {nameOf(node)} {copy.in_use && <InUse />}
              {!node.connected && (
                <span className="muted">
                  {' '}
                  away, last seen <Age at={node.last_seen} />
                </span>
              )}
            </dt>
            <dd>{formatBytes(copy.size_bytes)}</dd>
          </div>
        ))}
        <div className="total">
          <dt>Freed in total</dt>
          <dd>{formatBytes(total)}</dd>
        </div>
      </dl>
      {isUsed && (
        <label className="check">
          <input type="checkbox" checked={isForced} onChange={(event) => setForced(event.target.checked)} />
          <span>Also copies in use. Otherwise they are removed when their last use ends.</span>
        </label>
      )}
      {task.error !== undefined && <Problem error={task.error} />}
      <div className="dialog-actions">
        <Button disabled={task.isBusy} onClick={() => onClose(false)}>
          Keep it
        </Button>
        <Button tone="danger" icon="trash" disabled={task.isBusy} lock={lock} onClick={() => void remove()}>
          {task.isBusy ? 'Deleting…' : isPython ? 'Delete' : 'Delete everywhere'}
        </Button>
      </div>
    </Dialog>
  );
}
