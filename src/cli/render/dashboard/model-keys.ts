import { formatRef, type ModelId, type ModelRef } from '../../../core/kernel/model-id.ts';
import type { ShownModel } from '../../../core/protocol/models.ts';
import type { Key } from '../parts/read-keys.ts';
import type { DashboardContext } from './context.ts';

/** Handles the keys for a model of the store, in the list and on its page. */
export function actOnModel({ acts, open, run }: DashboardContext, key: Key, modelId: ModelId): boolean {
  if (key === 'd') open({ kind: 'delete', modelId });
  else if (key === 'p') open({ kind: 'purge', modelId, nodeId: undefined });
  else if (key === 's') stage({ acts, run }, { modelId });
  else if (key === 'o') open({ kind: 'optimize', source: { modelId } });
  else return false;
  return true;
}

/** Handles the same keys for one selected quantization. */
export function actOnQuantization(
  { acts, open, run }: DashboardContext,
  key: Key,
  { model, selector }: { readonly model: ShownModel; readonly selector: string },
): boolean {
  const name = { modelId: model.model_id, selector };
  const all = model.quantizations ?? [];
  const others = all.flatMap((one) => (one.selector === selector ? [] : one.selector));
  const own = all.find((one) => one.selector === selector)?.size_bytes ?? 0;
  // With the last one, the whole model is deleted.
  if (key === 'd') open({ kind: 'delete', ...name, others, bytes: others.length === 0 ? model.total_bytes : own });
  else if (key === 'p') open({ kind: 'purge', ...name, nodeId: undefined });
  else if (key === 's') stage({ acts, run }, name);
  else if (key === 'o') open({ kind: 'optimize', source: name });
  else return false;
  return true;
}

/** Starts to stage a model, or one quantization of it, on this machine. */
export function stage({ acts, run }: Pick<DashboardContext, 'acts' | 'run'>, name: ModelRef): void {
  run(() => acts.stage(name), `staging ${formatRef(name)} on this machine; press 4 to see its progress`);
}
