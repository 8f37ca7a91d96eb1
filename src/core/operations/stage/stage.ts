import { type Companion, isRequired } from '../../catalog/companions.ts';
import type { KindFile } from '../../catalog/selection/file-kind.ts';
import type { WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { isSystemError, SkulkError, systemCode } from '../../kernel/errors.ts';
import { isThere } from '../../kernel/files/is-there.ts';
import { formatRef, type ModelRef } from '../../kernel/model-id.ts';
import { catchUp, reportStaged, reportUse } from '../../node/catch-up.ts';
import { leaseLayout } from '../../node/lease-layout.ts';
import type { GroupFiles } from '../../staging/groups/copy-groups.ts';
import { copyPath, stagingLayout } from '../../staging/layout.ts';
import { type HeldLease, takeLease } from '../../staging/leases/take-lease.ts';
import { hasCopy, readLocalCopy } from '../../staging/local-copy.ts';
import { createRateLimiter, unlimited } from '../../transfer/rate-limiter.ts';
import type { StageOptions } from './model-stage.ts';
import { type NeededFile, requireNeeded } from './needed-files.ts';
import { describePlans } from './plan-copy.ts';
import { stageModel } from './stage-model.ts';
import type { PlannedModel, StagedCompanion, StagedModel, StagePlanReport, StageReport } from './stage-report.ts';

/** The input of `skulk stage`. */
export interface StageRequest {
  readonly refs: readonly ModelRef[];
  readonly dryRun: boolean;
  /** Fetch everything again, even if it is here. */
  readonly force: boolean;
  /** Use only local copies, without any connection. */
  readonly offline: boolean;
  /** Use Hugging Face if the store is unreachable. */
  readonly direct?: boolean | undefined;
  /** Bytes per second, for all connections in total. */
  readonly limitRate?: number | undefined;
  readonly connections?: number | undefined;
  /** Take it only from the store, and do not share it with other nodes. */
  readonly noSwarm?: boolean | undefined;
  /** Which files to fetch from Hugging Face if the store lacks the model. */
  readonly wanted?: WantedFiles | undefined;
  /** The files whose paths are needed. Nothing is transferred if a model lacks one. */
  readonly needs?: readonly NeededFile[] | undefined;
  /** How long the copies stay in use after this, in milliseconds. */
  readonly keepMs?: number | undefined;
}

/**
 * Makes verified local copies, one after the other, with the companions in their cards.
 * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, STORE_NOT_CONFIGURED, STORE_UNREACHABLE without a local copy, NO_SPACE,
 * INTEGRITY, CONFLICT if a model has changed and others use the existing copy, FILE_NOT_FOUND if a model lacks a needed file
 */
export async function stageModels(deps: Deps, request: StageRequest): Promise<StageReport | StagePlanReport> {
  const { world } = deps;
  const options = { ...stageOptions(request), beside: request.refs.map(({ modelId }) => modelId) };
  const staged: StagedModel[] = [];
  const planned: PlannedModel[] = [];
  // The first copies must still exist when the last one is staged.
  const isLong = request.keepMs !== undefined || request.refs.length > 1;
  const leases: TakenLease[] = [];
  try {
    if (options.needs !== undefined && request.refs.length > 1) await checkNeeds(deps, request.refs, options);
    if (!request.offline && !request.dryRun && (isLong || !(await areHere(deps, request.refs)))) await catchUp(deps, { full: false });
    for (const ref of request.refs) {
      const lease =
        isLong && !request.dryRun
          ? await leaseFor(deps, ref, request, request.keepMs === undefined ? 'skulk stage' : 'skulk stage --keep')
          : undefined;
      if (lease !== undefined) leases.push({ ref, lease });
      const outcome = await stageWithCompanions(deps, ref, options, lease);
      if ('planned' in outcome) planned.push(...outcome.planned);
      else staged.push(outcome.staged);
    }
    try {
      if (request.keepMs !== undefined) await keepCopies(deps, leases, new Date(world.now().getTime() + request.keepMs), request);
    } finally {
      if (!request.offline) await reportCopiesOf(deps, staged, request);
    }
  } finally {
    for (const { lease } of leases) await lease[Symbol.asyncDispose]();
  }
  return request.dryRun ? await describePlans(deps, planned, options) : { staged };
}

/** Then the store knows this node's copies before it next gives orders, and which of them are kept in use. */
async function reportCopiesOf(deps: Deps, staged: readonly StagedModel[], { keepMs }: Pick<StageRequest, 'keepMs'>): Promise<void> {
  if (staged.some(({ source }) => source !== 'cache' && source !== 'in-place')) await reportStaged(deps);
  else if (keepMs !== undefined && staged.length > 0) await reportUse(deps);
}

interface TakenLease {
  readonly ref: ModelRef;
  readonly lease: HeldLease;
}

/** @throws SkulkError CONFLICT if a copy was removed by force since it was staged; the others are kept all the same */
async function keepCopies(deps: Deps, leases: readonly TakenLease[], until: Date, request: Pick<StageRequest, 'offline'>): Promise<void> {
  const layout = await leaseLayout(deps, request);
  const gone: string[] = [];
  for (const { ref, lease } of leases) {
    const { model_id, selector } = lease.lease;
    const isHere = async (): Promise<boolean> => layout.isInPlace || (await hasCopy(layout, model_id, selector));
    if (!(await lease.keepUntil(until, isHere))) gone.push(formatRef(ref));
  }
  if (gone.length === 0) return;
  throw new SkulkError('CONFLICT', `another command removed the copy of ${gone.join(', ')} at the end of the stage, so it is not kept`, {
    hint: 'stage it again',
  });
}

/** If one of several models lacks a needed file, none is transferred. */
async function checkNeeds(deps: Deps, refs: readonly ModelRef[], options: StageOptions): Promise<void> {
  for (const ref of refs)
    await stageModel(deps, ref, { ...options, dryRun: true }).catch((error: unknown) => {
      // Other errors occur again later, where they are reported. A model that the store has not downloaded cannot be planned.
      if (error instanceof SkulkError && error.code === 'FILE_NOT_FOUND') throw error;
    });
}

/** Whether copies exist already; then the first answer shows whether the store has orders. */
async function areHere({ config }: Deps, refs: readonly ModelRef[]): Promise<boolean> {
  const layout = stagingLayout(config.settings.nodeCachePath.value);
  const found = await Promise.all(refs.map(({ modelId }) => isThere(copyPath(layout, modelId))));
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
  noSwarm = false,
}: Omit<StageRequest, 'refs' | 'keepMs'>): StageOptions {
  return {
    dryRun,
    force,
    offline,
    direct,
    connections,
    wanted,
    noSwarm,
    ...(needs !== undefined && needs.length > 0 && { needs }),
    limiter: limitRate === undefined ? unlimited : createRateLimiter(limitRate),
  };
}

/**
 * Takes a lease for this process on a model. Undefined if staging is off, or if this user cannot write to the store whose models are used
 * in place.
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
    // Without a copy, the model must be staged there, which this user cannot do.
    if (!layout.isInPlace && (await readLocalCopy(layout, modelId)) === undefined) throw error;
    const message = `cannot write to ${layout.leases} (${systemCode(error)}), so the use of ${modelId} is not recorded`;
    if (layout.isInPlace) world.emit({ type: 'note', message });
    else world.emit({ type: 'warning', message, hint: 'a user who can write there can remove the copy while it is in use' });
    return undefined;
  });
}

/**
 * Stages a model and the companions in its card. A model without a required companion is useless, so that fails the stage; a missing
 * optional one is a warning.
 * @param lease extended to the companions before they are staged
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
  // Without a selector, the quantization is only known from here on.
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
      if ('planned' in result) planned.push({ ...result.planned, ...(!isRequired(companion) && { optional: true as const }) });
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
