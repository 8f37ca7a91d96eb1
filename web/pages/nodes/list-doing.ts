import type { GivenOrder, KnownNode } from '../../../src/core/protocol/fleet.ts';
import type { StagingJob } from '../../../src/core/protocol/staging.ts';
import { plural } from '../../parts/format.ts';
import { formatNamed } from '../store/quantizations.ts';

const share = (done: number, total: number): string => (total > 0 ? `, ${Math.floor((done / total) * 100)} %` : '');

/**
 * What a machine does now and what it still has to do, in one line for each.
 * @param jobs the stages of the machine whose page this is; undefined for another machine, whose reports to the store are used
 */
export function listDoing(
  { node_id }: Pick<KnownNode, 'node_id'>,
  orders: readonly GivenOrder[],
  jobs: readonly StagingJob[] | undefined,
): readonly string[] {
  const open = orders.flatMap((order) =>
    order.nodes.filter(({ node, status }) => node === node_id && status !== 'done').map((one) => ({ order, one })),
  );
  const carried = open.flatMap(({ order: { model_id, selector }, one: { status, progress } }) =>
    status !== 'pending' || progress === undefined || model_id === null
      ? []
      : [
          `staging ${formatNamed({ modelId: model_id, selector: selector ?? undefined })}${share(progress.bytes_done, progress.bytes_total)}`,
        ],
  );
  const own = (jobs ?? [])
    .filter(({ status }) => status === 'pending' || status === 'staging')
    .map(
      (job) =>
        `staging ${formatNamed({ modelId: job.model_id, selector: job.selector ?? undefined })}${share(job.bytes_done, job.bytes_total)}`,
    );
  const waiting = open.length - carried.length;
  return [
    ...(jobs === undefined ? carried : own),
    ...(waiting > 0 ? [`${plural(waiting, 'order')} ${waiting === 1 ? 'waits' : 'wait'}`] : []),
  ];
}
