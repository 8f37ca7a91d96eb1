import { beat, leaveUnattended } from '../../kernel/process/heartbeat.ts';
import { isLocalProcess, lifeOf } from '../../kernel/process/process-identity.ts';
import type { StagingLayout } from '../layout.ts';
import { beatPath, type Lease, readLeases } from './lease.ts';

/**
 * Shows other machines and containers that processes of here live that hold leases: whoever called `skulk activate` for them has
 * ended, and they know nothing of it.
 */
export async function renewLeases(layout: Pick<StagingLayout, 'leases'>): Promise<void> {
  for (const { lease_id, holders, expires_at } of await readLeases(layout)) {
    if (expires_at !== null || !holders.some(isHere)) continue;
    const lives = await Promise.all(holders.filter(isHere).map(lifeOf));
    if (lives.includes('alive')) await beat(beatPath(layout, lease_id));
  }
}

/** Ends that: from now on those leases live for the time that they were given. */
export async function stopRenewing(layout: Pick<StagingLayout, 'leases'>): Promise<void> {
  for (const { lease_id, holders, unattended_until } of await readLeases(layout))
    if (unattended_until !== undefined && holders.some(isHere)) await leaveUnattended(beatPath(layout, lease_id));
}

const isHere = (holder: Lease['holders'][number]): boolean => isLocalProcess(holder);
