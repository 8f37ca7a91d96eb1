import { type ReactElement, useState } from 'react';
import type { KnownNode, Purged } from '../../../src/core/protocol/fleet.ts';
import { callOf } from '../../api/call.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { useApp } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { formatBytes } from '../../parts/format.ts';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';
import { Outcomes } from '../outcomes.tsx';
import { formatNamed, partOf } from '../store/quantizations.ts';
import { useMachineName } from '../use-machine-name.ts';
import { freedBy, useOutcomes } from '../use-outcomes.ts';

/** Which copies are to go. */
export interface PurgeTarget {
  /** Every machine when undefined. */
  readonly node: KnownNode | undefined;
  /** Every model when undefined. */
  readonly modelId: string | undefined;
  /** The whole copy when undefined. */
  readonly selector?: string | undefined;
}

/** Removing staged copies: what goes, then what became of it. What is canonical stays. */
export function PurgeDialog({
  target: { node, modelId, selector },
  nodes,
  onClose,
}: {
  readonly target: PurgeTarget;
  readonly nodes: readonly KnownNode[];
  readonly onClose: () => void;
}): ReactElement {
  const { client } = useApp();
  const nameOf = useMachineName();
  const task = useTask<Purged>();
  const outcomes = useOutcomes(task.result?.order.order_id, task.result?.nodes ?? []);
  const { models: lock } = useLocks();
  const [isForced, setForced] = useState(false);
  const [isEverywhere, setEverywhere] = useState(node === undefined);
  const [known] = useState(nodes);
  const chosen = isEverywhere || node === undefined ? known : [node];
  const copies = chosen.flatMap(({ copies: own }) =>
    (own ?? []).flatMap((copy) => (modelId === undefined ? copy : (partOf(copy, { modelId, selector }) ?? []))),
  );
  const bytes = copies.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const isUsed = copies.some(({ in_use }) => in_use);
  const place = isEverywhere || node === undefined ? 'every machine' : nameOf(node);
  const what = modelId === undefined ? 'every copy' : formatNamed({ modelId, selector });
  const purge = async (): Promise<void> => {
    const body = {
      ...(modelId !== undefined && { model_id: modelId }),
      ...(selector !== undefined && { selector }),
      ...(isForced && { force: true }),
      ...(!isEverywhere && node !== undefined && { nodes: [node.node_id] }),
    };
    await task.start((signal) => client.send<Purged>(callOf('POST /store/purge-staging', {}, { wait_ms: 5000 }), body, signal));
  };
  if (task.result !== undefined)
    return (
      <Dialog title={`${formatBytes(freedBy(outcomes))} freed`} onClose={onClose}>
        <div role="status">
          <Outcomes nodes={outcomes} />
        </div>
        <div className="dialog-actions">
          <Button tone="primary" takesFocus onClick={onClose}>
            Close
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={modelId === undefined ? `Purge ${place}?` : `Purge ${what}?`} onClose={onClose}>
      <p>
        This removes {what} that {place} has staged: {copies.length === 1 ? 'one copy' : `${copies.length} copies`}, {formatBytes(bytes)}.
        The store keeps the canonical copy, so it can be staged again.
      </p>
      {node !== undefined && modelId !== undefined && known.length > 1 && (
        <label className="check">
          <input type="checkbox" checked={isEverywhere} onChange={(event) => setEverywhere(event.target.checked)} />
          <span>On every machine, not only on {nameOf(node)}</span>
        </label>
      )}
      {isUsed && (
        <label className="check">
          <input type="checkbox" checked={isForced} onChange={(event) => setForced(event.target.checked)} />
          <span>Also copies in use. Otherwise they are removed when their last use ends.</span>
        </label>
      )}
      {task.error !== undefined && <Problem error={task.error} />}
      <div className="dialog-actions">
        <Button disabled={task.isBusy} onClick={onClose}>
          Keep {copies.length === 1 ? 'it' : 'them'}
        </Button>
        <Button tone="danger" icon="trash" disabled={task.isBusy} lock={lock} onClick={() => void purge()}>
          {task.isBusy ? 'Purging…' : `Purge ${formatBytes(bytes)}`}
        </Button>
      </div>
    </Dialog>
  );
}
