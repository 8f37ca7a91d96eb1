import { type ReactElement, useState } from 'react';
import type { VerifyReport } from '../../../../src/core/protocol/models.ts';
import { callOf } from '../../../api/call.ts';
import { useLocks } from '../../../parts/access/locks.ts';
import { useApp } from '../../../parts/app-context.ts';
import { Button } from '../../../parts/button.tsx';
import { Icon } from '../../../parts/icon.tsx';
import { Problem } from '../../../parts/problem.tsx';
import { Progress } from '../../../parts/progress.tsx';
import { Sentence } from '../../../parts/sentence.tsx';
import { useTask } from '../../../parts/use-task.ts';

/** Hashing the canonical copy again. It continues as long as the page of the model is open. */
export function Verify({ modelId, fileCount }: { readonly modelId: string; readonly fileCount: number }): ReactElement {
  const { client } = useApp();
  const task = useTask<VerifyReport>();
  const { models: lock } = useLocks();
  const [progress, setProgress] = useState({ bytes_done: 0, bytes_total: 0 });
  const begin = (): void => {
    setProgress({ bytes_done: 0, bytes_total: 0 });
    const onProgress = (bytes_done: number, bytes_total: number): void => setProgress({ bytes_done, bytes_total });
    void task.start((signal) =>
      client.work<VerifyReport>(callOf('POST /store/verify', {}), { model_ids: [modelId] }, { signal, onProgress }),
    );
  };
  const found = task.result?.models.find(({ model_id }) => model_id === modelId);
  return (
    <div className="verify">
      {task.isBusy ? (
        <div className="stage-now">
          <Progress label={`Verifying ${modelId}`} {...progress} bytes_per_second={null} seconds_left={null} />
          <Button onClick={task.reset}>Stop</Button>
        </div>
      ) : (
        <Button icon="verify" lock={lock} onClick={begin}>
          Verify
        </Button>
      )}
      <div role="status">
        {found !== undefined && isGood(found.status) && (
          <p className="good">
            <Icon name="check" />{' '}
            {fileCount === 1 ? 'Verified: the file matches.' : `Verified: all ${fileCount.toLocaleString('en')} files match.`}{' '}
            {found.note !== undefined && <Sentence text={found.note} />}
          </p>
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
    </div>
  );
}

const isGood = (status: string): boolean => status === 'ok' || status === 'repaired';

const problems: Readonly<Record<string, string>> = {
  missing: 'it is missing',
  size: 'its size is wrong',
  content: 'its content is wrong',
  unreadable: 'it cannot be read',
};
