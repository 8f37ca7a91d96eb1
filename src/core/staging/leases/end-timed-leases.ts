import type { ModelId } from '../../kernel/model-id.ts';
import { type GroupFiles, namesGroup } from '../groups/copy-groups.ts';
import type { StagingLayout } from '../layout.ts';
import { readLeases } from './lease.ts';
import { dropLeases } from './take-lease.ts';

/**
 * Ends the leases on a removed copy that are bound to time. Nobody else ends them: no process has them. Leases of processes stay,
 * and leases on other models that have this one as a companion stay too. The caller is behind the gate.
 * @param group only one of several quantizations: a lease on the whole model still protects the others
 */
export async function endTimedLeases(layout: Pick<StagingLayout, 'leases'>, modelId: ModelId, group?: GroupFiles): Promise<void> {
  const leases = (await readLeases(layout)).filter(
    ({ model_id, selector, expires_at }) =>
      expires_at !== null && model_id === modelId && (group === undefined || (selector !== undefined && namesGroup(selector, group))),
  );
  await dropLeases(layout, leases);
}
