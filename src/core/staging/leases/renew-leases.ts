import { beat, leaveUnattended } from '../../kernel/process/heartbeat.ts';
import { isLocalProcess, lifeOf } from '../../kernel/process/process-identity.ts';
import type { StagingLayout } from '../layout.ts';
import { beatPath, type Lease, readLeases } from './lease.ts';

/**
 * Keeps leases alive for other machines and containers while their local processes live. The `skulk activate` that took them has ended,
 * and the processes themselves do not renew them.
 */
export async function renewLeases(layout: Pick<StagingLayout, 'leases'>): Promise<void> {
  for (const { lease_id, holders, expires_at } of await readLeases(layout)) {
    if (expires_at !== null || !holders.some(isHere)) continue;
    const lives = await Promise.all(holders.filter(isHere).map(lifeOf));
    if (lives.includes('alive')) await beat(beatPath(layout, lease_id));
  }
}

/** Stops renewing. From now on those leases live only for the time they were given. */
export async function stopRenewing(layout: Pick<StagingLayout, 'leases'>): Promise<void> {
  for (const { lease_id, holders, unattended_until } of await readLeases(layout))
    if (unattended_until !== undefined && holders.some(isHere)) await leaveUnattended(beatPath(layout, lease_id));
}

const isHere = (holder: Lease['holders'][number]): boolean => isLocalProcess(holder);
