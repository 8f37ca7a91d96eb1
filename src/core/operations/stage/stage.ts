import { stat } from 'node:fs/promises';
import { type Companion, isRequired } from '../../catalog/companions.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import type { WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { isSystemError, SkulkError, systemCode } from '../../kernel/errors.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import { catchUp, reportStaged } from '../../node/catch-up.ts';
import { leaseLayout } from '../../node/lease-layout.ts';
import type { GroupFiles } from '../../staging/groups/copy-groups.ts';
import { copyPath, stagingLayout } from '../../staging/layout.ts';
import { type HeldLease, takeLease } from '../../staging/leases/take-lease.ts';
import { readLocalCopy } from '../../staging/local-copy.ts';
import { createRateLimiter, unlimited } from '../../transfer/rate-limiter.ts';
import type { StageOptions } from './model-stage.ts';
import { type NeededFile, requireNeeded } from './needed-files.ts';
import { stageModel } from './stage-model.ts';
import type { PlannedModel, StagedCompanion, StagedModel, StagePlanReport, StageReport } from './stage-report.ts';

/** What `skulk stage` takes. */
export interface StageRequest {
  readonly refs: readonly ModelRef[];
  readonly dryRun: boolean;
  /** Fetch everything again, whatever is here. */
  readonly force: boolean;
  /** Use only what is here; no connection is made. */
  readonly offline: boolean;
  /** Go to Hugging Face when the store cannot be reached. */
  readonly direct?: boolean | undefined;
  /** Bytes a second, all connections together. */
  readonly limitRate?: number | undefined;
  readonly connections?: number | undefined;
  /** Which files are fetched from Hugging Face of a model that the store lacks. */
  readonly wanted?: WantedFiles | undefined;
  /** The files that somebody needs a path of: nothing is sent when a model lacks one. */
  readonly needs?: readonly NeededFile[] | undefined;
  /** How long the copies stay in use after this, in milliseconds. */
  readonly keepMs?: number | undefined;
}

/**
 * Makes verified local copies, one after the other, with the companions that their cards name.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, STORE_NOT_CONFIGURED, STORE_UNREACHABLE without a copy here, NO_SPACE,
 * INTEGRITY, CONFLICT when a model has changed and others use the copy that is here, FILE_NOT_FOUND when a model lacks what is needed
 */
export async function stageModels(deps: Deps, request: StageRequest): Promise<StageReport | StagePlanReport> {
  const { world } = deps;
  const options = stageOptions(request);
  const staged: StagedModel[] = [];
  const planned: PlannedModel[] = [];
  // What is staged first must still be there when the last one is.
  const isLong = request.keepMs !== undefined || request.refs.length > 1;
  const leases: HeldLease[] = [];
  try {
    if (options.needs !== undefined && request.refs.length > 1) await checkNeeds(deps, request.refs, options);
    if (!request.offline && !request.dryRun && (isLong || !(await areHere(deps, request.refs)))) await catchUp(deps, { full: false });
    for (const ref of request.refs) {
      const lease =
        isLong && !request.dryRun
          ? await leaseFor(deps, ref, request, request.keepMs === undefined ? 'skulk stage' : 'skulk stage --keep')
          : undefined;
      if (lease !== undefined) leases.push(lease);
      const outcome = await stageWithCompanions(deps, ref, options, lease);
      if ('planned' in outcome) planned.push(...outcome.planned);
      else staged.push(outcome.staged);
    }
    // The store then knows what this node has, before it next tells its nodes anything.
    if (!request.offline && staged.some(({ source }) => source === 'store' || source === 'clone' || source === 'hub'))
      await reportStaged(deps);
    if (request.keepMs !== undefined) {
      const until = new Date(world.now().getTime() + request.keepMs);
      for (const lease of leases) {
        await lease.handTo([], until);
        lease.keep();
      }
    }
  } finally {
    for (const lease of leases) await lease[Symbol.asyncDispose]();
  }
  return request.dryRun ? { planned } : { staged };
}

/** Of several models none is sent when one lacks what is needed. */
async function checkNeeds(deps: Deps, refs: readonly ModelRef[], options: StageOptions): Promise<void> {
  for (const ref of refs)
    await stageModel(deps, ref, { ...options, dryRun: true }).catch((error: unknown) => {
      // Other failures come again, where they are told; a model that the store has not downloaded cannot be planned.
      if (error instanceof SkulkError && error.code === 'FILE_NOT_FOUND') throw error;
    });
}

/** Whether there are copies already; then the answer to the first question says whether the store has orders. */
async function areHere({ config }: Deps, refs: readonly ModelRef[]): Promise<boolean> {
  const layout = stagingLayout(config.settings.nodeCachePath.value);
  const found = await Promise.all(
    refs.map(({ modelId }) =>
      stat(copyPath(layout, modelId)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}

/** The options of each model's stage. */
export function stageOptions({
  dryRun,
  force,
  offline,
  direct = false,
  connections,
  limitRate,
  wanted = {},
  needs,
}: Omit<StageRequest, 'refs' | 'keepMs'>): StageOptions {
  return {
    dryRun,
    force,
    offline,
    direct,
    connections,
    wanted,
    ...(needs !== undefined && needs.length > 0 && { needs }),
    limiter: limitRate === undefined ? unlimited : createRateLimiter(limitRate),
  };
}

/**
 * A lease of this process on a model; undefined where staging is off, and where this user may not write to the store that
 * models are used in.
 */
export async function leaseFor(
  deps: Deps,
  { modelId, selector }: ModelRef,
  { offline }: { readonly offline: boolean },
  purpose: string,
): Promise<HeldLease | undefined> {
  const { world, config } = deps;
  const layout = await leaseLayout(deps, { offline });
  if (!config.settings.stagingEnabled.value && !layout.isInPlace) return undefined;
  return takeLease(layout, { modelId, selector, purpose, now: world.now(), signal: world.signal }).catch(async (error: unknown) => {
    if (!isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    // Without a copy it has to be staged there, which this user cannot.
    if (!layout.isInPlace && (await readLocalCopy(layout, modelId)) === undefined) throw error;
    const message = `cannot write to ${layout.leases} (${systemCode(error)}), so the use of ${modelId} is not recorded`;
    if (layout.isInPlace) world.emit({ type: 'note', message });
    else world.emit({ type: 'warning', message, hint: 'a user who can write there can remove the copy while it is in use' });
    return undefined;
  });
}

/**
 * Stages a model and what its card names. Without a required companion the model is of no use, so that fails the stage; an
 * optional one is a warning.
 * @param lease covers the companions too, from before they are staged
 */
export async function stageWithCompanions(
  deps: Deps,
  ref: ModelRef,
  options: StageOptions,
  lease?: HeldLease,
): Promise<
  | { readonly staged: StagedModel; readonly files: readonly KindFile[]; readonly group: GroupFiles }
  | { readonly planned: readonly PlannedModel[] }
> {
  const outcome = await stageModel(deps, ref, options);
  // Nothing was named, so until here it was not known which quantization is used.
  if (ref.selector === undefined && outcome.group.selector !== null) await lease?.narrow(outcome.group.selector);
  const { companions } = outcome;
  requireNeeded(ref, options.needs, { files: outcome.files, companions });
  if (companions.length === 0) return 'planned' in outcome ? { planned: [outcome.planned] } : outcome;
  const planned: PlannedModel[] = 'planned' in outcome ? [outcome.planned] : [];
  const staged: StagedCompanion[] = [];
  const own = lease === undefined && !options.dryRun ? await leaseFor(deps, ref, options, 'skulk stage') : undefined;
  try {
    await (lease ?? own)?.cover(companions.map(({ modelId }) => modelId));
    for (const companion of companions) {
      const result = await stageCompanion(deps, ref, companion, options);
      if (result === undefined) continue;
      if ('planned' in result) planned.push(result.planned);
      else {
        const { path, gguf_file } = result.staged;
        staged.push({ model_id: companion.modelId, role: companion.role, path, gguf_file });
      }
    }
  } finally {
    await own?.release();
  }
  return 'planned' in outcome ? { planned } : { ...outcome, staged: { ...outcome.staged, companions: staged } };
}

async function stageCompanion(deps: Deps, { modelId }: ModelRef, companion: Companion, options: StageOptions) {
  try {
    return await stageModel(deps, { modelId: companion.modelId }, { ...options, wanted: {}, needs: [] });
  } catch (error) {
    if (!(error instanceof SkulkError) || deps.world.signal.aborted) throw error;
    const what = `${companion.modelId}, the ${companion.role} companion of ${modelId}`;
    if (isRequired(companion)) throw new SkulkError(error.code, `${what}, is needed: ${error.message}`, { hint: error.hint, cause: error });
    deps.world.emit({ type: 'warning', message: `${what}, was not staged: ${error.message}`, hint: error.hint });
    return undefined;
  }
}
