import type { NodeTopics, StoreTopics } from '../../../src/core/protocol/events.ts';

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
