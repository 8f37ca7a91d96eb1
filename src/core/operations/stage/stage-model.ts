import { readdir } from 'node:fs/promises';
import { checkRevision } from '../../catalog/check-revision.ts';
import type { Deps } from '../../connect/deps.ts';
import { isStagedInPlace, resolveCanonical } from '../../connect/resolve-canonical.ts';
import { hasSecond, isAway } from '../../connect/second-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { type ModelRef, modelIdOfDirectory } from '../../kernel/model-id.ts';
import { suggestModel } from '../../kernel/no-such-model.ts';
import { catchUp } from '../../node/catch-up.ts';
import { withPurge } from '../../node/suggest-purge.ts';
import type { ModelProblem } from '../../protocol/models/entries.ts';
import { clearEmptyPlace } from '../../staging/clear-empty-place.ts';
import { isSameGroup } from '../../staging/groups/copy-groups.ts';
import { type LocalCopy, readLocalCopy } from '../../staging/local-copy.ts';
import { askStore } from './ask/ask-store.ts';
import { buildCopy, type UsedCopy } from './build-copy.ts';
import { checkReplaceable, checkStagingPlace } from './check-place.ts';
import { copyAhead } from './copy-ahead.ts';
import { describeUnchanged } from './describe-outcome.ts';
import { markUsed } from './mark-used.ts';
import { beginStage, type ModelStage, neededModels, type StageOptions, type StageOutcome } from './model-stage.ts';
import { describePlan } from './plan-copy.ts';
import { sayWhatIsKept } from './say-what-is-kept.ts';
import { selectPart } from './select-part.ts';
import { findHere, selectWanted, warnOfOwnProblems, warnOfPin, warnOfProblems } from './wanted-part.ts';

/**
 * Stages one model: uses a complete local copy, or the canonical directory on the host, else copies from the store.
 * @throws SkulkError CONFLICT if the model has changed and others use the existing copy
 */
export async function stageModel(deps: Deps, ref: ModelRef, options: StageOptions): Promise<StageOutcome> {
  const stage = await beginStage(deps, ref, options);
  if (await isStagedInPlace(deps, options)) return await useInPlace(stage);
  await checkStagingPlace(stage);
  const local = options.force && !options.offline ? undefined : await readLocalCopy(stage.layout, ref.modelId);
  if (options.offline) return await useOffline(stage, local);
  const ahead = copyAhead(stage);
  await using answer = await askStore(stage, local, { ...options, ahead: ahead.run });
  if (answer.state !== 'direct' && answer.hasOrders && !options.dryRun && options.caughtUp !== true) {
    // Orders from before this stage must not remove the copy that it makes.
    await catchUp(deps, { full: true });
    return await stageModel(deps, ref, { ...options, caughtUp: true });
  }
  if (answer.state === 'current') {
    warnOfPin(stage, answer.part);
    const problems = warnOfProblems(stage, answer.problems, answer.part.group);
    return withProblems(await useCopy(stage, { ...answer, verified: local?.verified }), problems);
  }
  await checkReplaceable(stage, answer);
  const problems =
    answer.state === 'manifest' ? warnOfProblems(stage, answer.problems, selectWanted(stage, answer.manifest, answer.pin).group) : [];
  if (options.dryRun) return await describePlan(stage, answer, local);
  try {
    return withProblems(await buildCopy(stage, answer, { useCopy, bytesAhead: ahead.bytes() }), problems);
  } catch (error) {
    // The verified pieces are kept, and a second store has the rest.
    const mayContinue = hasSecond(deps) && options.isContinued !== true && answer.state === 'manifest' && !answer.isSecond;
    if (!mayContinue || !(error instanceof SkulkError) || !isAway(error))
      throw await withPurge(deps, await sayWhatIsKept(stage, error), neededModels(ref, options));
    return await stageModel(deps, ref, { ...options, force: false, isContinued: true });
  }
}

/** On the store host, the canonical directory may be used as the copy. */
async function useInPlace(stage: ModelStage): Promise<StageOutcome> {
  const { manifest, pin, problems: known, ...found } = await resolveCanonical(stage.deps, stage.ref, stage.options);
  const part = selectPart(stage.ref, manifest, stage.card?.ggufFile ?? pin, stage.options.needs);
  warnOfPin(stage, part);
  const problems = warnOfProblems(stage, known, part.group);
  return withProblems(await describeUnchanged(stage, { ...found, part, source: 'in-place', isChecked: true }), problems);
}

/** The report with the reasons why no program can load the model. Pure. */
const withProblems = (outcome: StageOutcome, problems: readonly ModelProblem[]): StageOutcome =>
  problems.length > 0 && 'staged' in outcome ? { ...outcome, staged: { ...outcome.staged, problems } } : outcome;

/** @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND */
async function useOffline(stage: ModelStage, local: LocalCopy | undefined): Promise<StageOutcome> {
  const { ref } = stage;
  if (local === undefined) throw await notStaged(stage);
  // A copy with another revision is reported as such.
  const part = findHere(
    { modelId: ref.modelId, ...(ref.selector !== undefined && { selector: ref.selector }) },
    local,
    stage.card?.ggufFile,
    stage.options.needs,
  );
  if (part === undefined) throw notHere(ref, local);
  checkRevision(ref, local.manifest);
  return await useCopy(stage, { part, companions: local.companions, verified: local.verified, isChecked: false });
}

async function notStaged({ layout, ref: { modelId } }: ModelStage): Promise<SkulkError> {
  const names = await readdir(layout.root).catch(() => []);
  const suggestion = suggestModel(
    modelId,
    names.flatMap((name) => modelIdOfDirectory(name) ?? []),
  );
  return new SkulkError('MODEL_NOT_FOUND', `${modelId} is not staged here`, {
    hint: `${suggestion === undefined ? '' : `did you mean ${suggestion}? `}\`skulk staging\` lists the copies; or run it again without --offline`,
  });
}

/** The existing copy is the requested one. */
async function useCopy(stage: ModelStage, { part, companions, verified, isChecked }: UsedCopy): Promise<StageOutcome> {
  const { path, ref, options, deps, layout } = stage;
  if (!options.dryRun) {
    await markUsed(deps, ref.modelId, (group) => isSameGroup(group, part.group));
    // A complete copy is valid even if nothing can be removed on the disk.
    await clearEmptyPlace(layout, ref.modelId).catch(() => undefined);
  }
  const problems = isChecked ? [] : await warnOfOwnProblems(stage, part);
  return withProblems(await describeUnchanged(stage, { source: 'cache', path, part, companions, verified, isChecked }), problems);
}

function notHere({ modelId }: ModelRef, local: LocalCopy): SkulkError {
  const why =
    local.changed.size === 0
      ? 'is staged here, but without that part'
      : `is staged here, but ${local.changed.size} of its files changed on the disk`;
  return new SkulkError('MODEL_NOT_FOUND', `${modelId} ${why}`, { hint: 'run it again without --offline' });
}
