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
import { countMoving, describeSent, runningSwarms } from './moving.ts';
import { Rates } from './rates.tsx';
import { UnfinishedCopies } from './unfinished-copies.tsx';
import { UnfinishedDownloads } from './unfinished-downloads.tsx';
import { useActivity } from './use-activity.ts';

/** How fast bytes move, what moves now, what has stopped, and who did what. */
export function ActivityPage(): ReactElement {
  const { topics } = useStore();
  const node = useNode();
  const { models: lock } = useLocks();
  const { view, swarms, error } = useActivity();
  const downloads = (topics.downloads?.downloads ?? []).filter(({ status }) => status === 'pending' || status === 'downloading');
  const jobs = (node.topics.staging?.jobs ?? []).filter(({ status }) => status === 'pending' || status === 'staging');
  const together = runningSwarms(swarms);
  const moving = countMoving(topics, node.topics) + together.length;
  const sizeOf = (swarm: { readonly model_id: string }) =>
    topics.registry?.entries.find(({ model_id }) => model_id === swarm.model_id)?.total_bytes;
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
        {downloads.length + jobs.length + together.length > 0 && (
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
            {together.map((swarm) => (
              <li key={swarm.digest}>
                <div className="move-what">
                  <Icon name="up" />
                  <ModelName id={swarm.model_id} />
                  <p className="muted row-more">to {plural(swarm.members, 'node')} together</p>
                </div>
                <p className="move-state muted">{describeSent(swarm, sizeOf(swarm))}</p>
              </li>
            ))}
          </ul>
        )}
      </section>
      <Optimizations />
      <UnfinishedDownloads />
      <UnfinishedUploads />
      <UnfinishedCopies />
      {view !== undefined && <Log view={view} nodes={topics.nodes?.nodes ?? []} />}
    </>
  );
}
