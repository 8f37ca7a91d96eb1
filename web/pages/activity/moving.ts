import type { NodeTopics, StoreTopics } from '../../../src/core/protocol/events.ts';
import type { SwarmList } from '../../../src/core/protocol/staging.ts';
import { formatBytes } from '../../parts/format.ts';

/** The models that several nodes take together now. Pure. */
export const runningSwarms = (swarms: SwarmList['swarms']): SwarmList['swarms'] =>
  swarms.filter(({ ended_at, members }) => ended_at === null && members > 1);

/** How much the store has sent to a swarm, in copies of the model if its size is known. Pure. */
export function describeSent({ host_sent_bytes: sent }: Pick<SwarmList['swarms'][number], 'host_sent_bytes'>, size = 0): string {
  return `The store sent ${size > 0 ? `${(sent / size).toFixed(1)} copies` : formatBytes(sent)}.`;
}

/** How many transfers and jobs run or wait now: downloads, optimizations, and stages of this machine. Pure. */
export function countMoving(
  { downloads, optimizations }: Pick<Partial<StoreTopics>, 'downloads' | 'optimizations'>,
  { staging }: Pick<Partial<NodeTopics>, 'staging'>,
): number {
  const jobs: readonly { readonly status: string }[] = [
    ...(downloads?.downloads ?? []),
    ...(optimizations?.optimizations ?? []),
    ...(staging?.jobs ?? []),
  ];
  return jobs.filter(({ status }) => status !== 'complete' && status !== 'failed').length;
}
