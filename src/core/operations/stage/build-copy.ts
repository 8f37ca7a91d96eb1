import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { rememberMount } from '../../kernel/machine/known-mounts.ts';
import { acquireLock, describeLockHolder, type HeldLock } from '../../kernel/process/lock.ts';
import { copyLock } from '../../staging/layout.ts';
import { type LocalCopy, readLocalCopy } from '../../staging/local-copy.ts';
import { requireReplaceable } from '../../staging/own-copy.ts';
import { makeRoot, markRoot } from '../../staging/prepare-root.ts';
import { requireIdle } from '../../staging/require-idle.ts';
import type { StoreAnswer } from './ask-store.ts';
import { copyFromStore } from './copy-from-store.ts';
import { describeMade } from './describe-outcome.ts';
import type { ModelStage, StageOutcome } from './model-stage.ts';
import { isCurrent, isUsable } from './wanted-part.ts';

/** Another process that builds the model ends sooner or later, and this one may be interrupted; in milliseconds. */
const lockTimeoutMs = 24 * 3600_000;

/** What `buildCopy` uses beside the answer of the store. */
interface BuildTools {
  /** Gives out the copy that is here. */
  readonly useCopy: (stage: ModelStage, copy: Pick<LocalCopy, 'manifest' | 'companions'>) => Promise<StageOutcome>;
  /** What came while the store still downloaded the model. */
  readonly bytesAhead: number;
}

/**
 * Makes the copy, alone on this machine, unless another process has made it meanwhile.
 * @throws SkulkError CONFLICT when others use the copy that is to be replaced; NO_SPACE, INTEGRITY and what the source fails with
 */
export async function buildCopy(
  stage: ModelStage,
  answer: Exclude<StoreAnswer, { state: 'current' }>,
  { useCopy, bytesAhead }: BuildTools,
): Promise<StageOutcome> {
  const { ref, options, layout } = stage;
  const { modelId } = ref;
  return await explainingDiskErrors(`cannot stage ${modelId} in ${layout.root}`, async () => {
    await using lock = await lockCopy(stage);
    const local = options.force ? undefined : await readLocalCopy(layout, modelId);
    if (answer.state === 'direct') {
      if (local !== undefined && isUsable(ref, local)) return await useCopy(stage, local);
      await requireReplaceable(layout, modelId);
      return await copyFromHub(stage, lock);
    }
    if (local !== undefined && isCurrent(ref, local, answer.manifest)) return await useCopy(stage, { ...answer, manifest: local.manifest });
    await requireReplaceable(layout, modelId);
    // Awaited here: what is returned unawaited would run on after the lock is given back.
    return await copyFromStore(stage, answer, { local, lock, bytesAhead });
  });
}

/** Prepares the staging directory, and waits for whoever else builds this copy. */
async function lockCopy({ deps: { world, config }, ref: { modelId }, layout }: ModelStage): Promise<HeldLock> {
  await makeRoot(layout);
  await markRoot(layout, world.now());
  await rememberMount(world, config.skulkHome, layout.root);
  await requireIdle(layout, modelId, world.now());
  return acquireLock(copyLock(layout, modelId), {
    purpose: `skulk stage ${modelId}`,
    timeoutMs: lockTimeoutMs,
    signal: world.signal,
    onWait: (holder) => world.emit({ type: 'waiting', message: `waiting for ${describeLockHolder(holder)}` }),
  });
}

/** Without a store this machine itself asks Hugging Face. */
async function copyFromHub(stage: ModelStage, lock: HeldLock): Promise<StageOutcome> {
  const { deps, ref, layout, path, connections, options } = stage;
  const { stageFromHub } = await import('./stage-from-hub.ts');
  const { manifest, bytesTransferred } = await stageFromHub(deps, ref, { ...options, layout, lock, connections });
  return describeMade(stage, { source: 'hub', path, manifest, companions: [], bytesTransferred });
}
