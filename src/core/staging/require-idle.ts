import { existsSync } from 'node:fs';
import type { ModelId } from '../kernel/model-id.ts';
import { identifySelf, isSameProcess } from '../kernel/process/process-identity.ts';
import type { GroupFiles } from './groups/copy-groups.ts';
import { copyPath, type StagingLayout } from './layout.ts';
import { holdersOf, inUse } from './leases/holders.ts';
import { type Lease, readLiveLeases } from './leases/lease.ts';

/**
 * Checks that no other process uses the existing copy: its path must not change while it is in use.
 * @param group the quantization to change; the whole copy if absent
 * @throws SkulkError CONFLICT
 */
export async function requireIdle(layout: StagingLayout, modelId: ModelId, now: Date, group?: GroupFiles): Promise<void> {
  const leases = await readLiveLeases(layout, now);
  if (leases.length === 0 || !existsSync(copyPath(layout, modelId))) return;
  const self = await identifySelf();
  const isOurs = ({ holders }: Lease): boolean => holders.length > 0 && holders.every((holder) => isSameProcess(holder, self));
  const holders = holdersOf(
    leases.filter((lease) => !isOurs(lease)),
    modelId,
    group,
  );
  if (holders.length > 0) throw inUse(modelId, holders);
}
