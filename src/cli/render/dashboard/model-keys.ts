import type { ModelId } from '../../../core/kernel/model-id.ts';
import { explain } from '../parts/explain.ts';
import type { Key } from '../parts/read-keys.ts';
import type { DashboardContext } from './context.ts';

/** What the keys do with a model of the store, in the list and when it is looked at. */
export function actOnModel({ acts, open, say }: DashboardContext, key: Key, modelId: ModelId): boolean {
  if (key === 'd') open({ kind: 'delete', modelId });
  else if (key === 'p') open({ kind: 'purge', modelId, nodeId: undefined });
  else if (key === 's') stage({ acts, say }, modelId);
  else return false;
  return true;
}

/** Begins to stage a model on this machine. */
export function stage({ acts, say }: Pick<DashboardContext, 'acts' | 'say'>, modelId: ModelId): void {
  try {
    acts.stage(modelId);
    say({ text: `${modelId} is being staged on this machine; 4 shows how far it is`, tone: 'good' });
  } catch (error) {
    const { message, hint } = explain(error);
    say({ text: message, hint, tone: 'bad' });
  }
}
