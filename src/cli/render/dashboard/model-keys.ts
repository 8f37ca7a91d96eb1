import { formatRef, type ModelId, type ModelRef } from '../../../core/kernel/model-id.ts';
import type { ShownModel } from '../../../core/protocol/models/shown-model.ts';
import type { Key } from '../parts/read-keys.ts';
import type { DashboardContext } from './context.ts';

/** Handles the keys for a model of the store, in the list and on its page. */
export function actOnModel(dashboard: DashboardContext, key: Key, modelId: ModelId): boolean {
  const { acts, open, run } = dashboard;
  if (key === 'd') open({ kind: 'delete', modelId });
  else if (key === 'p') open({ kind: 'purge', modelId, nodeId: undefined });
  else if (key === 's') stage({ acts, run }, { modelId });
  else if (key === 'o') open({ kind: 'optimize', source: { modelId } });
  else if (key === 'v') verify(dashboard, modelId);
  else return stageElsewhere(dashboard, key, { modelId });
  return true;
}

/** Handles the same keys for one selected quantization. */
export function actOnQuantization(
  dashboard: DashboardContext,
  key: Key,
  { model, selector }: { readonly model: ShownModel; readonly selector: string },
): boolean {
  const { acts, open, run } = dashboard;
  const name = { modelId: model.model_id, selector };
  const all = model.quantizations ?? [];
  const others = all.flatMap((one) => (one.selector === selector ? [] : one.selector));
  const own = all.find((one) => one.selector === selector)?.size_bytes ?? 0;
  // With the last one, the whole model is deleted.
  if (key === 'd') open({ kind: 'delete', ...name, others, bytes: others.length === 0 ? model.total_bytes : own });
  else if (key === 'p') open({ kind: 'purge', ...name, nodeId: undefined });
  else if (key === 's') stage({ acts, run }, name);
  else if (key === 'o') open({ kind: 'optimize', source: name });
  else if (key === 'v') verify(dashboard, model.model_id);
  else return stageElsewhere(dashboard, key, name);
  return true;
}

/** Starts to stage a model, or one quantization of it, on this machine. */
export function stage({ acts, run }: Pick<DashboardContext, 'acts' | 'run'>, name: ModelRef): void {
  run(() => acts.stage(name), `staging ${formatRef(name)} on this machine; press 4 to see its progress`);
}

/** Handles the keys that concern the copies of other machines. */
function stageElsewhere({ acts, open, run, view }: DashboardContext, key: Key, name: ModelRef): boolean {
  const isOwnJob = view.jobs.some(({ model_id, status }) => model_id === name.modelId && (status === 'pending' || status === 'staging'));
  if (key === 'S') open({ kind: 'stage-on', named: name });
  else if (key === 'c' && isOwnJob) cancelStage({ acts, run }, name.modelId);
  else if (key === 'c') run(() => acts.cancelOrders(name), `the order to stage ${formatRef(name)} was withdrawn; finished copies stay`);
  else return false;
  return true;
}

/** Stops a stage of this machine. */
export const cancelStage = ({ acts, run }: Pick<DashboardContext, 'acts' | 'run'>, modelId: ModelId): void =>
  run(() => acts.cancelStage(modelId), `staging ${modelId} was stopped; verified data is kept`);

/** Hashes the canonical copy of a model again, and shows the result at the end. */
function verify({ acts, run, say }: DashboardContext, modelId: ModelId): void {
  say({ text: `verifying ${modelId} in the store; the result appears here`, tone: 'good' });
  run(
    () => acts.verify(modelId),
    ({ models }) => {
      const [found] = models;
      if (found === undefined) return { text: `the store did not verify ${modelId}`, tone: 'bad' };
      if (found.status === 'ok')
        return { text: `verified ${modelId}: every file matches`, hint: found.note, tone: found.note === undefined ? 'good' : 'warn' };
      const [bad] = found.bad_files;
      const where = bad === undefined ? '' : `: ${bad.path}${found.bad_files.length > 1 ? ` and ${found.bad_files.length - 1} more` : ''}`;
      return { text: `${modelId} is ${found.status}${where}`, hint: found.note, tone: 'bad' };
    },
  );
}
