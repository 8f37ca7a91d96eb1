import type { StagingRow } from '../lists/copy-columns.ts';
import type { Key } from '../parts/read-keys.ts';
import type { DashboardContext } from './context.ts';
import { cancelStage, stage } from './model-keys.ts';

/** Handles the keys for a copy of this machine, in the list and on its page. */
export function actOnCopy({ acts, open, run, say }: DashboardContext, key: Key, { model_id, job }: StagingRow): boolean {
  if (key === 'p') open({ kind: 'purge', modelId: model_id, nodeId: undefined });
  else if (key === 's') stage({ acts, run }, { modelId: model_id, ...(job?.selector != null && { selector: job.selector }) });
  else if (key === 'c') cancelStage({ acts, run }, model_id);
  else if (key === 'd') say({ text: 'd deletes from the store: press 1, then d; p removes this copy', tone: 'warn' });
  else return false;
  return true;
}
