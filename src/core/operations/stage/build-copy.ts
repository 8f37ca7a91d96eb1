import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { rememberMount } from '../../kernel/machine/known-mounts.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { acquireLock, describeLockHolder, type HeldLock } from '../../kernel/process/lock.ts';
import { planGrowth, type WantedPart } from '../../staging/groups/plan-growth.ts';
import { renewWhole } from '../../staging/groups/renew-whole.ts';
import { copyLock, incomingCopy, type StagingLayout } from '../../staging/layout.ts';
import { type LocalCopy, readLocalCopy } from '../../staging/local-copy.ts';
import { requireReplaceable } from '../../staging/own-copy.ts';
import { makeRoot, markRoot } from '../../staging/prepare-root.ts';
import { requireIdle } from '../../staging/require-idle.ts';
import type { StoreAnswer } from './ask/store-answer.ts';
import { copyFromStore } from './copy-from-store.ts';
import { describeMade } from './describe-outcome.ts';
import type { ModelStage, StageOutcome } from './model-stage.ts';
import type { SelectedPart } from './select-part.ts';
import { endSharedWrites } from './together/keep-shared.ts';
import { findHere, isCurrent, selectWanted, warnOfPin } from './wanted-part.ts';

/** The time limit for another process that builds the model, in milliseconds. This process may be interrupted at any time. */
const lockTimeoutMs = 24 * 3600_000;

/** A copy that is used unchanged. */
export interface UsedCopy extends Pick<LocalCopy, 'companions' | 'verified'> {
  readonly part: SelectedPart;
  /** Whether a store said that it is current. */
  readonly isChecked: boolean;
}

/** The input of `buildCopy` beside the store's answer. */
interface BuildTools {
  /** Reports the existing copy as the result. */
  readonly useCopy: (stage: ModelStage, copy: UsedCopy) => Promise<StageOutcome>;
  /** Bytes that were copied while the store was still downloading the model. */
  readonly bytesAhead: number;
}

/**
 * Builds the copy under its lock, unless another process has built it in the meantime.
 * @throws SkulkError CONFLICT if others use the copy to be replaced; NO_SPACE, INTEGRITY and the source's own errors
 */
export async function buildCopy(
  stage: ModelStage,
  answer: Exclude<StoreAnswer, { state: 'current' }>,
  { useCopy, bytesAhead }: BuildTools,
): Promise<StageOutcome> {
  const { ref, options, layout } = stage;
  const { modelId } = ref;
  const { signal } = stage.deps.world;
  const wanted = answer.state === 'manifest' ? selectWanted(stage, answer.manifest, answer.pin) : undefined;
  if (wanted !== undefined) warnOfPin(stage, wanted);
  return await explainingDiskErrors(`cannot stage ${modelId} in ${layout.root}`, async () => {
    await using lock = await lockCopy(stage, wanted);
    await endSharedWrites(incomingCopy(layout, modelId));
    const local = await readLocalCopy(layout, modelId);
    const usable = options.force ? undefined : local;
    if (answer.state === 'direct') {
      const part = usable === undefined ? undefined : findHere(ref, usable, stage.card?.ggufFile, options.needs);
      if (usable !== undefined && part !== undefined)
        return await useCopy(stage, { part, companions: usable.companions, verified: usable.verified, isChecked: false });
      await requireReplaceable(layout, modelId, signal);
      return await copyFromHub(stage, lock).catch(explainNoStore);
    }
    if (answer.state === 'listed') {
      const { findListed } = await import('./listed/find-listed.ts');
      const part = usable === undefined ? undefined : findListed(ref, usable, { ...answer, needs: options.needs });
      if (part !== undefined)
        return await useCopy(stage, { part, companions: answer.companions, verified: usable?.verified, isChecked: true });
      await requireReplaceable(layout, modelId, signal);
      const { copyListed } = await import('./listed/copy-listed.ts');
      return await copyListed(stage, answer, { local, lock });
    }
    if (usable !== undefined && wanted !== undefined && isCurrent(usable, wanted)) {
      if (wanted.whole !== undefined && usable.of !== wanted.whole.digest) await renewWhole(layout, modelId, wanted.whole, signal);
      return await useCopy(stage, { part: wanted, companions: answer.companions, isChecked: true });
    }
    await requireReplaceable(layout, modelId, signal);
    // Awaited here: otherwise the lock would be released while the copy still runs.
    return await copyFromStore(stage, answer, { local, lock, bytesAhead });
  });
}

/** Without a store, this machine asked Hugging Face itself, so it is the one whose connection matters. */
function explainNoStore(error: unknown): never {
  if (!(error instanceof SkulkError) || error.code !== 'HUB_UNREACHABLE') throw error;
  throw new SkulkError(error.code, error.message, {
    hint: 'no store answers, so this machine asks Hugging Face itself: check its internet connection, or set SKULK_STORE=http://STORE:58080',
    cause: error,
  });
}

/** Prepares the staging directory, and waits for other processes that build this copy. */
async function lockCopy(
  { deps: { world, config }, ref: { modelId }, layout, options }: ModelStage,
  wanted: WantedPart | undefined,
): Promise<HeldLock> {
  await makeRoot(layout);
  await markRoot(layout, world.now());
  await rememberMount(world, config.skulkHome, layout.root);
  await requireIdleForChange(layout, wanted, { modelId, force: options.force, now: world.now() });
  return acquireLock(copyLock(layout, modelId), {
    purpose: `skulk stage ${modelId}`,
    timeoutMs: lockTimeoutMs,
    signal: world.signal,
    onWait: (holder) => world.emit({ type: 'waiting', message: `waiting for ${describeLockHolder(holder)}` }),
  });
}

/** Checks that nobody uses files that would be replaced; added files do not matter. @throws SkulkError CONFLICT */
async function requireIdleForChange(
  layout: StagingLayout,
  wanted: WantedPart | undefined,
  { modelId, force, now }: { readonly modelId: ModelId; readonly force: boolean; readonly now: Date },
): Promise<void> {
  const local = wanted === undefined ? undefined : await readLocalCopy(layout, modelId);
  // Another program may use a copy that stays as it is.
  if (!force && local !== undefined && wanted !== undefined && isCurrent(local, wanted)) return;
  const growth = local === undefined || wanted === undefined ? undefined : planGrowth(local, wanted, now.toISOString());
  // It is not known yet what the Hub has.
  if (growth === undefined && wanted !== undefined) await requireIdle(layout, modelId, now);
  for (const group of growth?.replaced ?? []) await requireIdle(layout, modelId, now, group);
}

/** Without a store, this machine itself uses Hugging Face. */
async function copyFromHub(stage: ModelStage, lock: HeldLock): Promise<StageOutcome> {
  const { deps, ref, layout, path, connections, options } = stage;
  const { stageFromHub } = await import('./stage-from-hub.ts');
  const { part, bytesTransferred } = await stageFromHub(deps, ref, { ...options, card: stage.card, layout, lock, connections });
  return describeMade(stage, { source: 'hub', path, part, companions: stage.card?.companions ?? [], isChecked: false, bytesTransferred });
}
