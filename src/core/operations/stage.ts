import { SkulkError } from '../kernel/errors.ts';
import type { ModelRef } from '../kernel/model-id.ts';
import { createRateLimiter, unlimited } from '../transfer/rate-limiter.ts';
import type { Deps } from './deps.ts';
import { stageModel } from './stage-model.ts';
import type { PlannedModel, StagedModel, StagePlanReport, StageReport } from './stage-report.ts';

/** What `skulk stage` takes. */
export interface StageRequest {
  readonly refs: readonly ModelRef[];
  readonly dryRun: boolean;
  /** Fetch everything again, whatever is here. */
  readonly force: boolean;
  /** Use only what is here; no connection is made. */
  readonly offline: boolean;
  /** Bytes a second, all connections together. */
  readonly limitRate?: number | undefined;
  readonly connections?: number | undefined;
}

/**
 * Makes verified local copies, one after the other.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, STORE_NOT_CONFIGURED, STORE_UNREACHABLE without a copy here, NO_SPACE, INTEGRITY
 */
export async function stageModels(deps: Deps, request: StageRequest): Promise<StageReport | StagePlanReport> {
  const options = {
    dryRun: request.dryRun,
    force: request.force,
    offline: request.offline,
    connections: request.connections ?? 4,
    limiter: request.limitRate === undefined ? unlimited : createRateLimiter(request.limitRate),
  };
  for (const { modelId, selector } of request.refs) {
    if (selector !== undefined) {
      throw new SkulkError('USAGE', `${modelId}:${selector}: a part of a model cannot be staged yet, only the whole`, {
        hint: `skulk stage ${modelId}`,
      });
    }
  }
  const staged: StagedModel[] = [];
  const planned: PlannedModel[] = [];
  for (const ref of request.refs) {
    const outcome = await stageModel(deps, ref, options);
    if ('planned' in outcome) planned.push(outcome.planned);
    else staged.push(outcome.staged);
  }
  return request.dryRun ? { planned } : { staged };
}
