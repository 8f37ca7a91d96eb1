import { type ReactElement, useEffect, useState } from 'react';
import type { OptimizationPlan, OptimizationStatus } from '../../../../src/core/protocol/optimizations.ts';
import { callOf } from '../../../api/call.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Dialog } from '../../../parts/dialog.tsx';
import { formatBytes } from '../../../parts/format.ts';
import { Problem } from '../../../parts/problem.tsx';
import { useTask } from '../../../parts/use-task.ts';

const targets = [3.5, 4.5, 5, 6, 8.6] as const;

/** Quantizing a model: what would be made for a number of bits, then the request. */
export function OptimizeDialog({
  modelId,
  onClose,
}: {
  readonly modelId: string;
  readonly onClose: (isStarted: boolean) => void;
}): ReactElement {
  const { client, tell } = useApp();
  const { models: lock } = useLocks();
  const { start: ask, ...asked } = useTask<OptimizationPlan>();
  const task = useTask<OptimizationStatus>();
  const [bits, setBits] = useState(4.5);
  useEffect(() => {
    const call = callOf('POST /store/models/:id/optimize/plan', { id: modelId });
    void ask((signal) => client.send<OptimizationPlan>(call, { target_bpw: bits }, signal));
  }, [client, ask, modelId, bits]);
  const plan = asked.result;
  const begin = async (): Promise<void> => {
    const call = callOf('POST /store/models/:id/optimize', { id: modelId });
    const begun = await task.start((signal) => client.send<OptimizationStatus>(call, { target_bpw: bits }, signal));
    if (begun === undefined) return;
    tell(begun.status === 'complete' ? `${begun.targetId} is already in the store.` : `Started the optimization ${begun.targetId}.`);
    onClose(true);
  };
  const about = plan?.is_exact === true ? '' : 'about ';
  return (
    <Dialog title={`Optimize ${modelId}`} onClose={() => onClose(false)}>
      <p>The store host quantizes the model once for all machines. The result is a new model; this one does not change.</p>
      <label className="field">
        <span>Maximum bits per weight</span>
        <select value={bits} onChange={(event) => setBits(Number(event.target.value))}>
          {targets.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      {asked.isBusy && <p className="muted">Computing the size…</p>}
      {plan !== undefined && (
        <dl className="facts">
          <div>
            <dt>Result</dt>
            <dd>{plan.targetId}</dd>
          </div>
          <div>
            <dt>Type</dt>
            <dd>
              {plan.type}, {about}
              {plan.bits} bits per weight
            </dd>
          </div>
          <div>
            <dt>Size</dt>
            <dd>
              {about}
              {formatBytes(plan.bytes)} <span className="muted">of {formatBytes(plan.source_bytes)}</span>
            </dd>
          </div>
          <div>
            <dt>Engine</dt>
            <dd>
              {plan.engine} {plan.engineVersion !== null && <span className="muted">{plan.engineVersion}</span>}
            </dd>
          </div>
        </dl>
      )}
      {plan?.state === 'complete' && <p className="muted">The store already has this result.</p>}
      {plan?.state === 'taken' && <p className="bad">The store has another model with this name.</p>}
      {asked.error !== undefined && <Problem error={asked.error} />}
      {task.error !== undefined && <Problem error={task.error} />}
      <div className="dialog-actions">
        <Button onClick={() => onClose(false)}>Close</Button>
        <Button
          tone="primary"
          lock={lock}
          disabled={plan === undefined || plan.state !== 'new' || task.isBusy}
          onClick={() => void begin()}
        >
          Start
        </Button>
      </div>
    </Dialog>
  );
}
