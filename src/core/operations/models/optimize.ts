import type { Deps } from '../../connect/deps.ts';
import { openStore } from '../../connect/open-store.ts';
import type { Optimizations, OptimizeWishes } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { patient, pause, retrying } from '../../kernel/flow/backoff.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';
import type { ModelProblem } from '../../protocol/models/entries.ts';
import type { OptimizationPlan, OptimizationStatus } from '../../protocol/optimizations.ts';
import { logUnserved } from '../store/log-change.ts';

/** How often the status of an optimization is polled, in milliseconds. */
const pollEveryMs = 300;

/**
 * Requests a smaller variant of a model; with `wait`, until it is complete; with `join`, also one that the store is already making.
 * @throws SkulkError see `Optimizations`; the optimization's own error; USAGE without `wait` if there is no server to continue it
 */
export async function optimize(
  deps: Deps,
  { wishes, wait, join }: { readonly wishes: OptimizeWishes; readonly wait: boolean; readonly join: boolean },
): Promise<OptimizationStatus> {
  await using opened = await openStore(deps);
  if (!wait && opened.url === undefined && deps.optimizations === undefined)
    throw new SkulkError('USAGE', 'the optimization cannot continue in the background: no server is running on this store host', {
      hint: 'start `skulk serve`, or omit --no-wait',
    });
  const optimizations = await opened.optimizations();
  const change = { action: 'optimize', model_id: wishes.modelId } as const;
  return await logUnserved(deps, opened, change, async () => {
    const asked = await optimizations.ask(wishes, { join });
    if (!wait) return asked;
    try {
      return await waitForVariant(optimizations, asked, deps.world);
    } catch (error) {
      throw explainStop(error, deps.world.signal, { targetId: asked.targetId, isServed: opened.url !== undefined });
    }
  });
}

/** Explains what happens to the work if only the waiting command is stopped. */
function explainStop(
  error: unknown,
  { aborted, reason }: AbortSignal,
  { targetId, isServed }: { readonly targetId: string; readonly isServed: boolean },
): unknown {
  if (!aborted || !(reason instanceof SkulkError)) return error;
  return new SkulkError(reason.code, reason.message, {
    hint: isServed
      ? `the store host is still making ${targetId}: to wait for it, run the same command again; to stop it, \`skulk cancel ${targetId}\``
      : `no server is running, so the work stopped: to start it again, run the same command`,
  });
}

/** Describes the variant that would be made. */
export async function planOptimization(deps: Deps, wishes: OptimizeWishes): Promise<OptimizationPlan> {
  await using opened = await openStore(deps);
  return await (await opened.optimizations()).plan(wishes);
}

/** Waits until an optimization has ended, and reports its progress. Throws its error. */
async function waitForVariant(optimizations: Optimizations, asked: OptimizationStatus, world: World): Promise<OptimizationStatus> {
  const { targetId } = asked;
  const { isTransient } = await import('../../client/http/transient.ts');
  let said: string | undefined;
  let warned = 0;
  for (let now = asked; ; ) {
    for (const message of now.warnings.slice(warned)) world.emit({ type: 'warning', message });
    warned = Math.max(warned, now.warnings.length);
    if (now.status === 'complete') return now;
    if (now.status === 'failed')
      throw new SkulkError(now.error_code ?? 'ENGINE_FAILED', `${targetId} was not made: ${now.error ?? 'no reason given'}`, {
        hint: now.hint ?? undefined,
      });
    if (now.status !== 'pending' && now.bytes_total > 0)
      world.emit({ type: 'progress', doing: 'optimizing', subject: targetId, bytesDone: now.bytes_done, bytesTotal: now.bytes_total });
    const says =
      now.status === 'pending'
        ? `${targetId} waits for other optimizations`
        : now.bytes_done > 0
          ? undefined
          : `${targetId}: ${now.message}`;
    if (says !== undefined && says !== said) world.emit({ type: 'waiting', message: says });
    said = says ?? said;
    await pause(pollEveryMs, world.signal);
    // A server that restarts resumes it.
    now = await retrying(() => optimizations.status(targetId), { policy: patient, signal: world.signal, isTransient });
  }
}

/** Why no program can load a variant; empty for a good one, and if the store does not tell. */
export async function problemsOfResult(
  deps: Deps,
  { targetId }: Pick<OptimizationStatus, 'targetId'>,
): Promise<{ readonly problems?: readonly ModelProblem[] }> {
  await using opened = await openStore(deps);
  const answer = await opened.store.manifest(targetId, { signal: deps.world.signal }).catch((error: unknown) => {
    if (!(error instanceof SkulkError) || deps.world.signal.aborted) throw error;
    return undefined;
  });
  return answer?.state === 'ready' && answer.problems !== undefined ? { problems: answer.problems } : {};
}

/** @throws SkulkError JOB_NOT_FOUND */
export async function optimizationStatus(deps: Deps, { modelId }: { readonly modelId: ModelId }): Promise<OptimizationStatus> {
  await using opened = await openStore(deps);
  return await (await opened.optimizations()).status(modelId);
}

/** Lists running and finished optimizations; with references, only those that read or make one of them. */
export async function listOptimizations(
  deps: Deps,
  { recent, refs = [] }: { readonly recent: boolean; readonly refs?: readonly ModelRef[] },
): Promise<{ readonly optimizations: readonly OptimizationStatus[] }> {
  await using opened = await openStore(deps);
  const all = await (await opened.optimizations()).list({ recent });
  return { optimizations: all.filter((one) => isOfOneOf(refs, one)) };
}

/** Whether an optimization reads or makes one of some models; without models, every one does. */
export const isOfOneOf = (refs: readonly ModelRef[], { modelId, targetId }: Pick<OptimizationStatus, 'modelId' | 'targetId'>): boolean =>
  refs.length === 0 || refs.some((ref) => ref.modelId === modelId || ref.modelId === targetId);

/** @throws SkulkError JOB_NOT_FOUND, CONFLICT when it has ended */
export async function cancelOptimization(deps: Deps, { modelId }: { readonly modelId: ModelId }): Promise<OptimizationStatus> {
  await using opened = await openStore(deps);
  const optimizations = await opened.optimizations();
  return await logUnserved(deps, opened, { action: 'cancel-optimization', model_id: modelId }, () => optimizations.cancel(modelId));
}
