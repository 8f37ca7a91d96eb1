import type { Deps } from '../../connect/deps.ts';
import { checkHealth } from '../../operations/store/check-health.ts';
import { type HealthView, toHealthView } from '../../protocol/health.ts';

/** The health of the store in the API's format. */
export async function healthOf(deps: Deps): Promise<HealthView> {
  const health = await checkHealth(deps);
  return toHealthView(health, health.location);
}
