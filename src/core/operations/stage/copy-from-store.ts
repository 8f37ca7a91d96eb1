import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { HeldLock } from '../../kernel/process/lock.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import { planGrowth, type WantedPart } from '../../staging/groups/plan-growth.ts';
import { incomingCopy } from '../../staging/layout.ts';
import type { LocalCopy } from '../../staging/local-copy.ts';
import type { Store } from '../../store/contract.ts';
import type { TogetherOutcome } from '../../swarm/fetch-together.ts';
import { removeWorkPlace } from '../../transfer/work-place.ts';
import type { StoreAnswer } from './ask/store-answer.ts';
import { describeMade } from './describe-outcome.ts';
import type { ModelStage, StageOutcome } from './model-stage.ts';
import { planCopy } from './plan-copy.ts';
import { readUnrecordedCopy } from './read-unrecorded-copy.ts';
import type { SelectedPart } from './select-part.ts';
import { keepShared } from './together/keep-shared.ts';
import { selectWanted } from './wanted-part.ts';

/** A model that the store has. */
type FromStore = Extract<StoreAnswer, { state: 'manifest' }>;

/** The input for building a copy beside the stage itself. */
interface CopyTools {
  /** The copy to replace or extend. */
  readonly local: LocalCopy | undefined;
  readonly lock: HeldLock;
  /** Bytes that were copied while the store was still downloading the model. */
  readonly bytesAhead: number;
}

/** The errors of a transfer after the store's content has changed under the same id. */
const meansReplaced: ReadonlySet<string> = new Set(['INTEGRITY', 'FILE_NOT_FOUND', 'MODEL_NOT_FOUND']);
const maxReplacements = 10;
/** How long to ask a store at the end whether it still has the model, in milliseconds. */
const confirmTimeoutMs = 2_000;

/**
 * Copies a model from the store. If the model is replaced in the store in the meantime, starts again and reuses valid pieces.
 * @throws SkulkError MODEL_NOT_FOUND if it was deleted in the meantime; INTEGRITY if the same damage occurred twice
 */
export async function copyFromStore(stage: ModelStage, answer: FromStore, tools: CopyTools): Promise<StageOutcome> {
  const { deps, ref, options, layout } = stage;
  if (options.force) await removeWorkPlace(incomingCopy(layout, ref.modelId));
  let { manifest } = answer;
  let isRepeated = false;
  for (let round = 1; ; round += 1) {
    try {
      return await copyOnce(stage, selectWanted(stage, manifest, answer.pin), answer, tools);
    } catch (error) {
      if (!(error instanceof SkulkError) || !meansReplaced.has(error.code) || round === maxReplacements) throw error;
      const newer = await answer.askAgain().catch((failure: unknown) => removeIfDeleted(stage, failure));
      // Same digest as before: the store is damaged, or the model was replaced twice. One more try decides.
      if (newer.digest === manifest.digest && isRepeated) throw error;
      isRepeated = newer.digest === manifest.digest;
      if (isRepeated) continue;
      deps.world.emit({ type: 'note', message: `${ref.modelId} was replaced in the store during the stage; staging the new version` });
      manifest = newer;
    }
  }
}

/** Clones the canonical files of this machine, or fetches them over the network. Then publishes the copy with one rename. */
async function copyOnce(stage: ModelStage, wanted: SelectedPart & WantedPart, answer: FromStore, tools: CopyTools): Promise<StageOutcome> {
  const { path, options, deps } = stage;
  const { companions, store, canonical } = answer;
  const growth = tools.local === undefined ? undefined : planGrowth(tools.local, wanted, deps.world.now().toISOString());
  const manifest = growth?.build ?? wanted.manifest;
  const publish = { ...publishTools(stage, wanted, answer, tools.lock), grows: growth !== undefined };
  if (canonical !== undefined) {
    const { cloneCopy } = await import('../../staging/clone-copy.ts');
    const { bytesCopied } = await cloneCopy(manifest, canonical, publish);
    return describeMade(stage, { source: 'clone', path, part: wanted, companions, isChecked: true, bytesTransferred: bytesCopied });
  }
  const { applyStage } = await import('../../staging/apply-stage.ts');
  const present = options.force ? undefined : (tools.local ?? (await readUnrecordedCopy(stage, manifest.files)));
  await keepShared(incomingCopy(stage.layout, stage.ref.modelId), manifest, publish.signal);
  const plan = await planCopy(stage, manifest, present);
  let shared: TogetherOutcome | undefined;
  const { bytesTransferred } = await applyStage(plan, {
    ...publish,
    limiter: options.limiter,
    fetch: async (pieces) => {
      const { fetchFromStore } = await import('./together/fetch-from-store.ts');
      shared = await fetchFromStore(stage, { store, whole: wanted.whole, onMembers: publish.onMembers }, pieces);
    },
  });
  return describeMade(stage, {
    source: shared !== undefined && shared.bytesBySwarm > 0 ? 'swarm' : 'store',
    path,
    part: wanted,
    companions,
    isChecked: true,
    bytesTransferred: bytesTransferred + tools.bytesAhead,
    shared,
  });
}

function publishTools({ deps: { world }, ref: { modelId }, layout }: ModelStage, wanted: WantedPart, answer: FromStore, lock: HeldLock) {
  let sharing = 1;
  return {
    onMembers: (members: number): void => {
      sharing = members;
    },
    layout,
    lock,
    signal: AbortSignal.any([world.signal, lock.lost]),
    now: world.now,
    companions: answer.companions,
    pin: answer.pin,
    wanted,
    confirm: () => requireNotDeleted(answer.store, { modelId, whole: wanted.whole?.digest, signal: world.signal }),
    onBytes: (bytesDone: number, bytesTotal: number, bytesAtHand?: number) =>
      world.emit({
        type: 'progress',
        doing: 'staging',
        subject: modelId,
        bytesDone,
        bytesTotal,
        bytesAtHand,
        ...(sharing > 1 && { from: `shared with ${sharing - 1} ${sharing === 2 ? 'node' : 'nodes'}` }),
      }),
  };
}

/**
 * A copy that is published after its model was deleted would be evicted at once, while a program uses its path.
 * @throws SkulkError MODEL_NOT_FOUND
 */
async function requireNotDeleted(
  store: Store,
  { modelId, whole, signal }: { readonly modelId: ModelId; readonly whole: Sha256 | undefined; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await store.manifest(modelId, {
      ...(whole !== undefined && { knownDigest: whole }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(confirmTimeoutMs)]),
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // An unreachable store has not reported a deletion.
    if (error instanceof SkulkError && error.code === 'MODEL_NOT_FOUND') throw error;
  }
}

/** The data of a model that was deleted in the meantime is useless. */
async function removeIfDeleted({ ref: { modelId }, layout }: ModelStage, error: unknown): Promise<never> {
  if (!(error instanceof SkulkError) || error.code !== 'MODEL_NOT_FOUND') throw error;
  await removeWorkPlace(incomingCopy(layout, modelId));
  throw new SkulkError('MODEL_NOT_FOUND', `${modelId} was deleted from the store during the stage`, {
    hint: '`skulk registry` lists the models; the unfinished copy was removed',
    cause: error,
  });
}
