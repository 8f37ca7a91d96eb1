import type { Deps } from '../../connect/deps.ts';
import { type ErrorCode, SkulkError } from '../../kernel/errors.ts';
import { reasonOf } from '../../kernel/explain-system-error.ts';
import type { SkulkEvent } from '../../kernel/flow/events.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { StageForOrder } from '../../node/stage-orders.ts';
import type { Order, OrderOutcome } from '../../protocol/fleet.ts';
import type { StagingJobs } from '../stage/staging-jobs.ts';

/** Failures that end by themselves, so that the order is tried again: the store is away, or this process ends. */
const passing: ReadonlySet<ErrorCode> = new Set(['STORE_UNREACHABLE', 'INTERRUPTED', 'TERMINATED']);
/** A copy that others use, or a stage of another revision, is in the way. */
const inTheWay: ReadonlySet<ErrorCode> = new Set(['CONFLICT']);
const maxReasonLength = 1000;

/** The model of an order to stage. */
export function refOf({ model_id: modelId, selector, revision }: Order): ModelRef {
  if (modelId === null) throw new Error('an order to stage names a model');
  return { modelId, ...(selector !== undefined && { selector }), ...(revision !== undefined && { revision }) };
}

/** Carries orders to stage out as jobs of this node's server, so that its page and API show them. */
export const stageByJobs =
  (jobs: Pick<StagingJobs, 'run'>): StageForOrder =>
  (order, { signal, onProgress }) =>
    answering(signal, () =>
      jobs.run(refOf(order), {
        signal,
        keepMs: order.keep_ms,
        onProgress: ({ doing, bytes_done, bytes_total, waits_for }) => onProgress({ doing, bytes_done, bytes_total, waits_for }),
      }),
    );

/** Carries an order to stage out in this process: where no server runs. */
export const stageHere =
  (deps: Deps): StageForOrder =>
  (order, { signal, onProgress }) =>
    answering(signal, async () => {
      const { world } = deps;
      const emit = (event: SkulkEvent): void => {
        world.emit(event);
        if (event.type === 'progress') {
          const { doing, bytesDone, bytesTotal } = event;
          onProgress({ doing: doing.slice(0, 40), bytes_done: bytesDone, bytes_total: bytesTotal, waits_for: null });
        }
      };
      const { stageModels } = await import('../stage/stage.ts');
      const own: Deps = { ...deps, world: { ...world, signal, emit } };
      const report = await stageModels(own, { refs: [refOf(order)], dryRun: false, force: false, offline: false, keepMs: order.keep_ms });
      return { bytesTransferred: 'staged' in report ? report.staged.reduce((sum, one) => sum + one.bytes_transferred, 0) : 0 };
    });

/** What becomes of a stage, as the store is answered. @throws the signal's reason */
async function answering(
  signal: AbortSignal,
  stage: () => Promise<{ readonly bytesTransferred: number }>,
): Promise<OrderOutcome | undefined> {
  try {
    const { bytesTransferred } = await stage();
    return { status: 'done', freed_bytes: 0, bytes_transferred: bytesTransferred, reason: null };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = reasonOf(error).slice(0, maxReasonLength);
    const code = error instanceof SkulkError ? error.code : undefined;
    if (code !== undefined && passing.has(code)) return undefined;
    return { status: code !== undefined && inTheWay.has(code) ? 'deferred' : 'failed', freed_bytes: 0, reason };
  }
}
