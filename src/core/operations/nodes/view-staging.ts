import type { Deps } from '../../connect/deps.ts';
import { explainSystemError } from '../../kernel/explain-system-error.ts';
import type { StagingView } from '../../protocol/staging.ts';
import { withBudgetNow } from '../settings/saved-config.ts';
import { listStaging } from './list-staging.ts';

/** This node's copies for a live view: with the budget from the current file, and with a problem instead of an error. */
export async function viewStaging(deps: Deps): Promise<StagingView> {
  const now = await withBudgetNow(deps);
  try {
    return { ...(await listStaging(now)), problem: null };
  } catch (error) {
    const root = now.config.settings.nodeCachePath.value;
    const explained = explainSystemError(error, `cannot read ${root}`);
    return {
      staging_root: root,
      models: [],
      total_bytes: 0,
      free_bytes: 0,
      budget_bytes: null,
      in_place: false,
      foreign: [],
      unfinished: [],
      problem: explained instanceof Error ? explained.message : String(explained),
    };
  }
}
