import type { ActivityEntry, NodeTopics, StoreTopics } from '../../../src/core/protocol/events.ts';
import type { GivenOrder, NodeOutcome } from '../../../src/core/protocol/fleet.ts';
import type { SwarmList } from '../../../src/core/protocol/staging.ts';
import { jobNameOf } from '../../api/activity.ts';
import { formatBytes } from '../../parts/format.ts';

/** The models that several nodes take together now. Pure. */
export const runningSwarms = (swarms: SwarmList['swarms']): SwarmList['swarms'] =>
  swarms.filter(({ ended_at, members }) => ended_at === null && members > 1);

/** How much the store has sent to a swarm, in copies of the model if its size is known. Pure. */
export function describeSent({ host_sent_bytes: sent }: Pick<SwarmList['swarms'][number], 'host_sent_bytes'>, size = 0): string {
  return `The store sent ${size > 0 ? `${(sent / size).toFixed(1)} copies` : formatBytes(sent)}.`;
}

/** A stage that the store ordered and that a machine carries out now. */
export interface CarriedStage {
  readonly order: GivenOrder;
  readonly modelId: string;
  readonly outcome: NodeOutcome;
}

/** The stages that other machines report now. Pure. @param ownId the machine whose page this is, whose stages are known without reports */
export function carriedStages(orders: readonly GivenOrder[], ownId: string | null): readonly CarriedStage[] {
  return orders.flatMap((order) => {
    const { kind, model_id: modelId, nodes } = order;
    if (kind !== 'stage' || modelId === null) return [];
    const carried = nodes.filter(({ node, status, progress }) => node !== ownId && status === 'pending' && progress !== undefined);
    return carried.map((outcome) => ({ order, modelId, outcome }));
  });
}

/** How many transfers and jobs run or wait now: downloads, optimizations, and stages of this machine and others. Pure. */
export function countMoving(
  { downloads, optimizations, orders }: Pick<Partial<StoreTopics>, 'downloads' | 'optimizations' | 'orders'>,
  { staging }: Pick<Partial<NodeTopics>, 'staging'>,
  ownId: string | null,
): number {
  const jobs: readonly { readonly status: string }[] = [
    ...(downloads?.downloads ?? []),
    ...(optimizations?.optimizations ?? []),
    ...(staging?.jobs ?? []),
  ];
  const own = jobs.filter(({ status }) => status !== 'complete' && status !== 'failed');
  return own.length + carriedStages(orders?.orders ?? [], ownId).length;
}

/** The request that began a download or an optimization; undefined if the log no longer has it. Pure. @param entries newest first */
export function requestOfJob(
  entries: readonly ActivityEntry[],
  { id, created_at }: { readonly id: string | undefined; readonly created_at: string },
): ActivityEntry | undefined {
  const name = id === undefined ? undefined : jobNameOf(id, created_at);
  return entries.findLast(({ job, state }) => state === 'accepted' && job !== undefined && job === name);
}

/** The request that gave an order to stage; undefined if the log no longer has it. Pure. @param entries newest first */
export function requestOfOrder(
  entries: readonly ActivityEntry[],
  { model_id, selector, given_at }: Pick<GivenOrder, 'model_id' | 'selector' | 'given_at'>,
): ActivityEntry | undefined {
  // An order is given before its request is answered, and with its answer it is logged.
  return entries.findLast(
    (one) => one.action === 'stage' && one.model_id === model_id && (one.selector ?? undefined) === selector && one.at >= given_at,
  );
}
