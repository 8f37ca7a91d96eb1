import type { ModelId } from '../../../core/kernel/model-id.ts';
import type { Key } from '../parts/read-keys.ts';
import type { DashboardContext } from './context.ts';

/** What the keys do with a model of the store, in the list and when it is looked at. */
export function actOnModel({ acts, open, run }: DashboardContext, key: Key, modelId: ModelId): boolean {
  if (key === 'd') open({ kind: 'delete', modelId });
  else if (key === 'p') open({ kind: 'purge', modelId, nodeId: undefined });
  else if (key === 's') stage({ acts, run }, modelId);
  else return false;
  return true;
}

/** Begins to stage a model on this machine. */
export function stage({ acts, run }: Pick<DashboardContext, 'acts' | 'run'>, modelId: ModelId): void {
  run(() => acts.stage(modelId), `${modelId} is being staged on this machine; 4 shows how far it is`);
}
