import { type ReactElement, useState } from 'react';
import type { VerifyReport } from '../../../../src/core/protocol/models/verify-report.ts';
import { callOf } from '../../../api/call.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Icon } from '../../../parts/icon.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { Sentence } from '../../../parts/sentence.tsx';
import { type Task, useTask } from '../../../parts/use-task.ts';

/** Hashing the canonical copy again. It continues as long as the page of the model is open. */
export interface Verifying {
  readonly task: Task<VerifyReport>;
  readonly begin: () => void;
  readonly progress: { readonly bytes_done: number; readonly bytes_total: number };
}

/** The verification of one model on its page. */
export function useVerify(modelId: string): Verifying {
  const { client } = useApp();
  const task = useTask<VerifyReport>();
  const [progress, setProgress] = useState({ bytes_done: 0, bytes_total: 0 });
  const begin = (): void => {
    setProgress({ bytes_done: 0, bytes_total: 0 });
    const onProgress = (bytes_done: number, bytes_total: number): void => setProgress({ bytes_done, bytes_total });
    void task.start((signal) =>
      client.work<VerifyReport>(callOf('POST /store/verify', {}), { model_ids: [modelId] }, { signal, onProgress }),
    );
  };
  return { task, begin, progress };
}

/** Starts it, or stops it in the same place. */
export function VerifyButton({ verifying: { task, begin } }: { readonly verifying: Verifying }): ReactElement {
  const { models: lock } = useLocks();
  return task.isBusy ? (
    <Button icon="close" onClick={task.reset}>
      Stop
    </Button>
  ) : (
    <Button icon="verify" lock={lock} onClick={begin}>
      Verify
    </Button>
  );
}

/** How far it is, and what it found. */
export function VerifyOutcome({
  modelId,
  fileCount,
  verifying: { task, progress },
}: {
  readonly modelId: string;
  readonly fileCount: number;
  readonly verifying: Verifying;
}): ReactElement {
  const found = task.result?.models.find(({ model_id }) => model_id === modelId);
  return (
    <>
      {task.isBusy && <Progress label={`Verifying ${modelId}`} {...progress} bytes_per_second={null} seconds_left={null} />}
      <div role="status">
        {found !== undefined && isGood(found.status) && (
          <>
            <p className="good">
              <Icon name="check" />{' '}
              {fileCount === 1 ? 'Verified: the file matches.' : `Verified: all ${fileCount.toLocaleString('en')} files match.`}
            </p>
            {found.note !== undefined && (
              <p className={found.status === 'ok' ? 'warn' : 'muted'}>
                {found.status === 'ok' && <Icon name="warning" />} <Sentence text={found.note} />
              </p>
            )}
          </>
        )}
        {found !== undefined && !isGood(found.status) && (
          <div className="callout bad">
            <Icon name="warning" />
            <div>
              <p>
                {found.status === 'incomplete' ? 'No program can load this copy.' : `This copy is ${found.status}.`}{' '}
                <Sentence text={found.note ?? 'add the model again'} />
              </p>
              <ul className="plain">
                {found.bad_files.map(({ path, problem, reason }) => (
                  <li key={path}>
                    <code>{path}</code>: {reason ?? problems[problem] ?? problem}
                  </li>
                ))}
              </ul>
            </div>
          </div>
        )}
      </div>
      {task.error !== undefined && <Problem error={task.error} />}
    </>
  );
}

const isGood = (status: string): boolean => status === 'ok' || status === 'repaired';

const problems: Readonly<Record<string, string>> = {
  missing: 'it is missing',
  size: 'its size is wrong',
  content: 'its content is wrong',
  unreadable: 'it cannot be read',
};
