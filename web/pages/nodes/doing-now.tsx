import type { ReactElement } from 'react';
import type { GivenOrder, KnownNode } from '../../../src/core/protocol/fleet.ts';
import { useApp, useNode } from '../../parts/app-context.ts';
import { Icon } from '../../parts/icon.tsx';
import { ModelName } from '../../parts/model-name.tsx';
import { Progress } from '../../parts/progress.tsx';
import { StageState } from '../model/stage-on/stage-order.tsx';
import { formatNamed } from '../store/quantizations.ts';

/** What a machine stages now; nothing where it is at rest. */
export function DoingNow({ node, orders }: { readonly node: KnownNode; readonly orders: readonly GivenOrder[] }): ReactElement | null {
  const { identity } = useApp();
  const { staging } = useNode().topics;
  const isOwn = node.node_id === identity.node_id;
  const jobs = isOwn ? (staging?.jobs ?? []).filter(({ status }) => status === 'pending' || status === 'staging') : [];
  // The stages of this machine are known without the reports to the store.
  const carried = isOwn
    ? []
    : orders.flatMap((order) => {
        const outcome = order.nodes.find((one) => one.node === node.node_id && one.status === 'pending' && one.progress !== undefined);
        return outcome === undefined || order.model_id === null ? [] : [{ order, outcome, modelId: order.model_id }];
      });
  if (jobs.length + carried.length === 0) return null;
  return (
    <section className="card flush" aria-labelledby="doing">
      <header className="card-head">
        <h2 id="doing">Doing now</h2>
      </header>
      <ul className="moves">
        {jobs.map((job) => (
          <li key={`${job.model_id} ${job.selector ?? ''}`}>
            <What modelId={job.model_id} selector={job.selector} />
            <div className="move-state">
              <Progress label={`Staging ${job.model_id}`} {...job} />
            </div>
          </li>
        ))}
        {carried.map(({ order, outcome, modelId }) => (
          <li key={order.order_id}>
            <What modelId={modelId} selector={order.selector} />
            <div className="move-state">
              <StageState label={`Staging ${formatNamed({ modelId, selector: order.selector })}`} outcome={outcome} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function What({ modelId, selector }: { readonly modelId: string; readonly selector: string | null | undefined }): ReactElement {
  return (
    <div className="move-what">
      <Icon name="up" />
      <ModelName id={modelId} /> {selector != null && <span className="label">{selector}</span>}
    </div>
  );
}
