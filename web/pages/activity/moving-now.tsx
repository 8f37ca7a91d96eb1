import type { ReactElement } from 'react';
import type { ActivityEntry } from '../../../src/core/protocol/events.ts';
import type { SwarmList } from '../../../src/core/protocol/staging.ts';
import { nameAsker } from '../../api/activity.ts';
import { useLocks } from '../../parts/access/locks.ts';
import { useApp, useNode, useStore } from '../../parts/app-context.ts';
import { plural } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Progress } from '../../parts/progress.tsx';
import { StageState } from '../model/stage-on/stage-order.tsx';
import { DownloadRow } from '../store/moving/download-row.tsx';
import { formatNamed, keyOfDownload } from '../store/quantizations.ts';
import { useMachineName } from '../use-machine-name.ts';
import { carriedStages, countMoving, describeSent, requestOfJob, requestOfOrder, runningSwarms } from './moving.ts';

/** What moves now: from where, to where, how far it is, and who asked for it. */
export function MovingNow({
  entries,
  swarms,
}: {
  /** The log, which knows who asked. */
  readonly entries: readonly ActivityEntry[];
  readonly swarms: SwarmList['swarms'];
}): ReactElement {
  const { topics } = useStore();
  const node = useNode();
  const { identity } = useApp();
  const { models: lock } = useLocks();
  const nameOf = useMachineName();
  const nodes = topics.nodes?.nodes ?? [];
  const downloads = (topics.downloads?.downloads ?? []).filter(({ status }) => status === 'pending' || status === 'downloading');
  const jobs = (node.topics.staging?.jobs ?? []).filter(({ status }) => status === 'pending' || status === 'staging');
  const carried = carriedStages(topics.orders?.orders ?? [], identity.node_id);
  const together = runningSwarms(swarms);
  const moving = countMoving(topics, node.topics, identity.node_id) + together.length;
  const sizeOf = (swarm: { readonly model_id: string }) =>
    topics.registry?.entries.find(({ model_id }) => model_id === swarm.model_id)?.total_bytes;
  const by = (entry: ActivityEntry | undefined): string => (entry === undefined ? '' : `, by ${nameAsker(entry, nodes)}`);
  return (
    <section className="card flush" aria-labelledby="moving">
      <header className="card-head">
        <h2 id="moving">Moving now</h2>
        <p className="muted">{moving === 0 ? 'Nothing is moving.' : plural(moving, 'job')}</p>
      </header>
      {downloads.length + jobs.length + carried.length + together.length > 0 && (
        <ul className="moves">
          {downloads.map((download) => (
            <DownloadRow
              key={keyOfDownload(download)}
              download={download}
              lock={lock}
              more={`from Hugging Face to the store${by(requestOfJob(entries, { ...download, id: download.download_id }))}`}
            />
          ))}
          {jobs.map((job) => (
            <li key={`${job.model_id} ${job.selector ?? ''}`}>
              <What modelId={job.model_id} selector={job.selector} more={`from ${sourceOf(job)} to this machine`} />
              <div className="move-state">
                <Progress label={`Staging ${job.model_id}`} {...job} />
              </div>
            </li>
          ))}
          {carried.map(({ order, modelId, outcome }) => (
            <li key={`${order.order_id} ${outcome.node}`}>
              <What
                modelId={modelId}
                selector={order.selector}
                more={`from ${sourceOf(outcome.progress)} to ${nameOf(outcome)}${by(requestOfOrder(entries, order))}`}
              />
              <div className="move-state">
                <StageState
                  label={`Staging ${formatNamed({ modelId, selector: order.selector })} on ${nameOf(outcome)}`}
                  outcome={outcome}
                />
              </div>
            </li>
          ))}
          {together.map((swarm) => (
            <li key={swarm.digest}>
              <What modelId={swarm.model_id} selector={undefined} more={`shared with ${plural(swarm.members, 'node')}`} />
              <p className="move-state muted">{describeSent(swarm, sizeOf(swarm))}</p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** A stage downloads what the store lacks. */
const sourceOf = (work: { readonly doing: string | null } | undefined): string =>
  work?.doing === 'downloading' ? 'Hugging Face' : 'the store';

function What({
  modelId,
  selector,
  more,
}: {
  readonly modelId: string;
  readonly selector: string | null | undefined;
  readonly more: string;
}): ReactElement {
  return (
    <div className="move-what">
      <Icon name="up" />
      <ModelName id={modelId} /> {selector != null && <span className="label">{selector}</span>}
      <p className="muted row-more">{more}</p>
    </div>
  );
}
