import { type ReactElement, useId, useState } from 'react';
import type { Purged } from '../../../src/core/protocol/fleet.ts';
import type { StagingView } from '../../../src/core/protocol/staging.ts';
import { callOf } from '../../api/call.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { useApp, useNode } from '../../parts/app-context.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { formatBytes } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useTask } from '../../parts/use-task.ts';

type UnfinishedCopy = StagingView['unfinished'][number];

/** The copies that this machine has begun and not finished; nothing if there are none. */
export function UnfinishedCopies(): ReactElement | null {
  const { storage, staging } = useNode().topics;
  const { models: lock } = useLocks();
  const { identity } = useApp();
  const [discarding, setDiscarding] = useState<UnfinishedCopy>();
  const title = useId();
  const running = (staging?.jobs ?? []).filter(({ status }) => status === 'pending' || status === 'staging');
  const copies = (storage?.unfinished ?? []).filter(({ model_id }) => running.every((job) => job.model_id !== model_id));
  const total = copies.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const whole = new Set(storage?.models.map(({ model_id }) => model_id));
  return (
    <>
      {copies.length > 0 && (
        <section className="card flush" aria-labelledby={title}>
          <header className="card-head">
            <h2 id={title}>Unfinished copies</h2>
            <p className="muted">
              {formatBytes(total)} on {identity.hostname}
            </p>
          </header>
          <ul className="moves stopped">
            {copies.map((copy) => (
              <li key={copy.model_id}>
                <div className="move-what">
                  <Icon name="up" />
                  <ModelName id={copy.model_id} />
                  <p className="muted row-more">
                    {formatBytes(copy.size_bytes)}. The next stage of the model resumes; after a week it is removed.
                  </p>
                </div>
                {whole.has(copy.model_id) ? (
                  <p className="muted move-state">another part of the model is staged here</p>
                ) : (
                  <Button label={`Discard ${copy.model_id}`} lock={lock} onClick={() => setDiscarding(copy)}>
                    Discard
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {discarding !== undefined && <DiscardDialog copy={discarding} onClose={() => setDiscarding(undefined)} />}
    </>
  );
}

/** Asks once more before the data is removed. */
function DiscardDialog({
  copy: { model_id, size_bytes },
  onClose,
}: {
  readonly copy: UnfinishedCopy;
  readonly onClose: () => void;
}): ReactElement {
  const { client, identity, tell } = useApp();
  const task = useTask<Purged>();
  const discard = async (): Promise<void> => {
    const body = { model_id, nodes: [identity.node_id] };
    const done = await task.change(() => client.send<Purged>(callOf('POST /store/purge-staging', {}, { wait_ms: 5000 }), body));
    if (done === undefined) return;
    tell(`${formatBytes(done.freed_bytes)} of ${model_id} were discarded.`);
    onClose();
  };
  return (
    <Dialog title={`Discard the unfinished copy of ${model_id}?`} onClose={onClose}>
      <p>
        This removes {formatBytes(size_bytes)} from {identity.hostname}. The next stage starts again from zero.
      </p>
      {task.error !== undefined && <Problem error={task.error} />}
      <div className="dialog-actions">
        <Button disabled={task.isBusy} takesFocus onClick={onClose}>
          Keep it
        </Button>
        <Button tone="danger" icon="trash" disabled={task.isBusy} onClick={() => void discard()}>
          {task.isBusy ? 'Discarding…' : 'Discard'}
        </Button>
      </div>
    </Dialog>
  );
}
