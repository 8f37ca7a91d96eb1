import { type ReactElement, useId, useState } from 'react';
import type { OptimizationStatus } from '../../../../src/core/protocol/optimizations.ts';
import { callOf } from '../../../api/call.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp, useStore } from '../../../parts/app-context.ts';
import { IconButton } from '../../../parts/button.tsx';
import { ModelName } from '../../../parts/model-name.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { Sentence } from '../../../parts/sentence.tsx';
import { useTask } from '../../../parts/use-task.ts';

/** Running, waiting and failed optimizations; nothing where there are none. A finished one is in the list of models. */
export function Optimizations(): ReactElement | null {
  const { topics } = useStore();
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const title = useId();
  const shown = (topics.optimizations?.optimizations ?? []).filter((one) => isOfInterest(one) && !dismissed.has(keyOf(one)));
  if (shown.length === 0) return null;
  return (
    <section className="card flush" aria-labelledby={title}>
      <header className="card-head">
        <h2 id={title}>Optimizations</h2>
      </header>
      <ul className="moves">
        {shown.map((one) => (
          <Row key={keyOf(one)} optimization={one} onDismiss={() => setDismissed(new Set([...dismissed, keyOf(one)]))} />
        ))}
      </ul>
    </section>
  );
}

/** An optimization that is asked for again is another one. */
const keyOf = ({ targetId, created_at }: OptimizationStatus): string => `${targetId} ${created_at}`;

const isOfInterest = ({ status, error_code }: OptimizationStatus): boolean => status !== 'complete' && error_code !== 'CANCELLED';

function Row({ optimization, onDismiss }: { readonly optimization: OptimizationStatus; readonly onDismiss: () => void }): ReactElement {
  const { client, tell } = useApp();
  const { models: lock } = useLocks();
  const task = useTask<unknown>();
  const { targetId, modelId, status, type, engine, message } = optimization;
  const cancel = async (): Promise<void> => {
    const call = callOf('DELETE /store/models/:id/optimize', { id: targetId });
    if ((await task.change(() => client.send(call))) !== undefined) tell(`Stopped the optimization ${targetId}.`);
  };
  return (
    <li>
      <div>
        <ModelName id={targetId} />
        <p className="muted row-more">
          {type} from {modelId}, by {engine}
        </p>
      </div>
      <div className="move-state">
        {status === 'failed' ? (
          <p className="bad">
            <Sentence text={optimization.error ?? 'failed'} />{' '}
            {optimization.hint !== null && (
              <span className="muted">
                <Sentence text={optimization.hint} />
              </span>
            )}
          </p>
        ) : optimization.bytes_done > 0 ? (
          <Progress label={`Optimization ${targetId}`} {...optimization} />
        ) : (
          <p className="muted">
            <Sentence text={message} />
          </p>
        )}
        {task.error !== undefined && (
          <p className="bad" role="alert">
            <Sentence text={task.error.message} />
          </p>
        )}
      </div>
      {status === 'failed' ? (
        <IconButton icon="close" label={`Dismiss the optimization ${targetId}`} onClick={onDismiss} />
      ) : (
        <IconButton
          icon="close"
          label={`Cancel the optimization ${targetId}`}
          lock={lock}
          disabled={task.isBusy}
          onClick={() => void cancel()}
        />
      )}
    </li>
  );
}
