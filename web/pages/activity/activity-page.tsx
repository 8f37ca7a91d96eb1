import type { ReactElement } from 'react';
import { useLocks } from '../../parts/access/locks.ts';
import { useNode, useStore } from '../../parts/app-context.ts';
import { plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Problem } from '../../parts/problem.tsx';
import { Progress } from '../../parts/progress.tsx';
import { DownloadRow } from '../store/moving/download-row.tsx';
import { Optimizations } from '../store/optimize/optimizations.tsx';
import { keyOfDownload } from '../store/quantizations.ts';
import { UnfinishedUploads } from '../store/uploads/unfinished-uploads.tsx';
import { Log } from './log.tsx';
import { countMoving } from './moving.ts';
import { Rates } from './rates.tsx';
import { useActivity } from './use-activity.ts';

/** How fast bytes move, what moves now, what has stopped, and who did what. */
export function ActivityPage(): ReactElement {
  const { topics } = useStore();
  const node = useNode();
  const { models: lock } = useLocks();
  const { view, error } = useActivity();
  const downloads = (topics.downloads?.downloads ?? []).filter(({ status }) => status === 'pending' || status === 'downloading');
  const jobs = (node.topics.staging?.jobs ?? []).filter(({ status }) => status === 'pending' || status === 'staging');
  const moving = countMoving(topics, node.topics);
  return (
    <>
      <div className="page-head">
        <h1>Activity</h1>
      </div>
      {error !== undefined && view === undefined && <Problem error={error} />}
      {view !== undefined && <Rates view={view} />}
      <section className="card flush" aria-labelledby="moving">
        <header className="card-head">
          <h2 id="moving">Moving now</h2>
          <p className="muted">{moving === 0 ? 'Nothing is moving.' : plural(moving, 'job')}</p>
        </header>
        {downloads.length + jobs.length > 0 && (
          <ul className="moves">
            {downloads.map((download) => (
              <DownloadRow key={keyOfDownload(download)} download={download} lock={lock} />
            ))}
            {jobs.map((job) => (
              <li key={`${job.model_id} ${job.selector ?? ''}`}>
                <div className="move-what">
                  <Icon name="up" />
                  <ModelName id={job.model_id} /> {job.selector != null && <span className="label">{job.selector}</span>}
                  <p className="muted row-more">to this machine</p>
                </div>
                <div className="move-state">
                  <Progress label={`Staging ${job.model_id}`} {...job} />
                </div>
              </li>
            ))}
          </ul>
        )}
      </section>
      <Optimizations />
      <UnfinishedUploads />
      {view !== undefined && <Log view={view} nodes={topics.nodes?.nodes ?? []} />}
    </>
  );
}
