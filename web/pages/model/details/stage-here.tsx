import type { ReactElement } from 'react';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp, useNode } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Command } from '../../../parts/command.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { Sentence } from '../../../parts/sentence.tsx';
import { useStaging } from '../../store/use-staging.ts';

/** The copy on the machine whose page this is: how far it is, and where it is in the end. */
export function StageHere({
  modelId,
  onStage,
}: {
  readonly modelId: string;
  /** Adds a button that stages, where there is no other one. */
  readonly onStage?: () => void;
}): ReactElement | null {
  const { identity } = useApp();
  const { topics } = useNode();
  const { cancel } = useStaging();
  const { copiesHere: lock } = useLocks();
  const job = topics.staging?.jobs.find(({ model_id }) => model_id === modelId);
  const copy = topics.storage?.models.find(({ model_id }) => model_id === modelId);
  const isRunning = job?.status === 'staging' || job?.status === 'pending';
  if (job === undefined && onStage === undefined) return null;
  return (
    <div className="stage-here">
      {isRunning ? (
        <div className="stage-now">
          <Progress label={`Staging ${modelId}`} {...job} />
          <p className="muted">{job.waits_for === null ? (job.doing ?? 'beginning') : <Sentence text={job.waits_for} />}</p>
          <Button lock={lock} onClick={() => cancel(modelId)}>
            Stop
          </Button>
        </div>
      ) : (
        onStage !== undefined && (
          <Button tone="primary" icon="machine" lock={lock} onClick={onStage}>
            {copy === undefined ? `Stage on ${identity.hostname}` : `Stage on ${identity.hostname} again`}
          </Button>
        )
      )}
      {job?.status === 'complete' && job.path !== null && <Command text={job.path} what="the path" />}
      {job?.status === 'failed' && (
        <p className="bad">
          <Sentence text={job.error ?? 'failed'} />{' '}
          {job.hint !== null && (
            <span className="muted">
              <Sentence text={job.hint} />
            </span>
          )}
        </p>
      )}
      {job?.warnings.map((warning) => (
        <p key={warning} className="muted">
          <Sentence text={warning} />
        </p>
      ))}
    </div>
  );
}
