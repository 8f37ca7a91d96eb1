import { stat } from 'node:fs/promises';
import { checkRevision, hasRevision } from '../../catalog/check-revision.ts';
import type { Companion } from '../../catalog/companions.ts';
import { type Manifest, totalBytes } from '../../catalog/manifest.ts';
import { loadableGguf } from '../../catalog/selection/groups.ts';
import type { WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { isStagedInPlace, resolveCanonical } from '../../connect/resolve-canonical.ts';
import type { Downloads } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { rememberMount, whyUnmounted } from '../../kernel/machine/known-mounts.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import { acquireLock, describeLockHolder, type HeldLock } from '../../kernel/process/lock.ts';
import type { Sha256 } from '../../kernel/sha256.ts';
import { catchUp } from '../../node/catch-up.ts';
import { touchLastUsed } from '../../staging/last-used.ts';
import { copyLock, copyPath, incomingCopy, type StagingLayout, stagingLayout } from '../../staging/layout.ts';
import { type LocalCopy, readLocalCopy } from '../../staging/local-copy.ts';
import { requireOwnPlace, requireReplaceable } from '../../staging/own-copy.ts';
import { type FileSource, planStage, type StagePlan } from '../../staging/plan-stage.ts';
import { makeRoot, markRoot, refuseStoreAsCache } from '../../staging/prepare-root.ts';
import { requireIdle } from '../../staging/require-idle.ts';
import { restoreCopies } from '../../staging/sweep-trash.ts';
import type { Store } from '../../store/contract.ts';
import { diskRoom } from '../../transfer/disk-room.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';
import { readJournal, readParts } from '../../transfer/part-journal.ts';
import { pieceKey } from '../../transfer/pieces.ts';
import type { RateLimiter } from '../../transfer/rate-limiter.ts';
import { removeWorkPlace } from '../../transfer/work-place.ts';
import { askStore, type StoreAnswer } from './ask-store.ts';
import { coversPart, selectPart } from './select-part.ts';
import type { PlannedModel, StagedModel } from './stage-report.ts';

/** How a model is to be staged. */
export interface StageOptions {
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly offline: boolean;
  /** Go to Hugging Face when the store cannot be reached. */
  readonly direct: boolean;
  /** What a person asked for. */
  readonly connections: number | undefined;
  readonly limiter: RateLimiter;
  /** Which files are fetched from Hugging Face of a model that the store lacks. */
  readonly wanted: WantedFiles;
  /** What the store asked of this node has just been done. */
  readonly caughtUp?: boolean;
}

/** A builder of another model ends sooner or later; whoever waits may be interrupted. */
const waitForOtherMs = 24 * 3600 * 1000;
/** What a transfer fails with when the store has other content under the same id by now. */
const meansReplaced: ReadonlySet<string> = new Set(['INTEGRITY', 'FILE_NOT_FOUND', 'MODEL_NOT_FOUND']);
const mostReplacements = 10;
/** At the Hub, and for what is taken ahead. */
const usualConnections = 4;
/** How long a store is asked at the end whether it still has the model, in milliseconds. */
const confirmPatienceMs = 2_000;

/** What became of one model, and what its card names beside it. */
export type StageOutcome = ({ readonly staged: StagedModel } | { readonly planned: PlannedModel }) & {
  readonly companions: readonly Companion[];
  /** The paths of its files. */
  readonly files: readonly string[];
};

/**
 * Stages one model: from here if it is whole, in place on the host, else from the store.
 * @throws SkulkError CONFLICT when the model has changed and others use the copy that is here
 */
export async function stageModel(deps: Deps, ref: ModelRef, options: StageOptions): Promise<StageOutcome> {
  const { world, config } = deps;
  const { modelId } = ref;
  const { nodeCachePath, stagingEnabled, storePath } = config.settings;
  const began = performance.now();
  const connections = options.connections ?? usualConnections;
  if (await isStagedInPlace(deps, options))
    return describe({ source: 'in-place', ...selected(await resolveCanonical(deps, ref, options)), transferred: 0 });
  if (!stagingEnabled.value) {
    throw new SkulkError('CONFIG', 'staging is disabled on this node (model_store.staging.enabled is false)', {
      hint: `set it to true in ${config.file ?? 'the configuration'}, or under node_overrides for this node`,
    });
  }
  const layout = stagingLayout(nodeCachePath.value);
  const unmounted = await whyUnmounted(config.skulkHome, layout.root);
  if (unmounted !== undefined) throw unmounted;
  const path = copyPath(layout, modelId);
  let bytesAhead = 0;
  if (!options.dryRun) await restoreCopies(layout, world.signal);
  if (!options.offline)
    await requireOwnPlace(layout, modelId).catch(async (error: unknown) => {
      // In a store it is the setting that is wrong, not what lies there.
      await refuseStoreAsCache(layout, storePath.value);
      throw error;
    });
  const local = options.force && !options.offline ? undefined : await readLocalCopy(layout, modelId);
  if (options.offline) {
    if (local === undefined || local.changed.size > 0 || !coversPart(ref, local)) throw notHere(modelId, local);
    checkRevision(ref, local.manifest);
    return cached(local);
  }
  await using answer = await askStore(deps, ref, local, {
    dryRun: options.dryRun,
    direct: options.direct,
    wanted: options.wanted,
    ahead: takeAhead,
  });
  if (answer.state !== 'direct' && answer.hasOrders && !options.dryRun && options.caughtUp !== true) {
    // What was asked for before this stage must not meet the copy that it makes.
    await catchUp(deps, { full: true });
    return await stageModel(deps, ref, { ...options, caughtUp: true });
  }
  if (answer.state === 'current') return await cached(answer);
  await refuseStoreAsCache(layout, storePath.value);
  await requireReplaceable(layout, modelId);
  if (answer.state === 'manifest') {
    const paths = selectPart(ref, answer.manifest).files.map((file) => file.path);
    await requireDistinctNames(layout.root, { paths, of: modelId });
  }
  if (options.dryRun && answer.state === 'direct')
    throw new SkulkError('STORE_NOT_CONFIGURED', `there is no store to ask what ${modelId} has`, {
      hint: 'without --dry-run it would be fetched from Hugging Face',
    });
  if (options.dryRun && answer.state === 'manifest')
    return await describePlan(answer, await makePlan(layout, selectPart(ref, answer.manifest), local, options.force));
  return await explainingDiskErrors(`cannot stage ${modelId} in ${layout.root}`, async () => {
    await makeRoot(layout);
    await markRoot(layout, world.now());
    await rememberMount(world, config.skulkHome, layout.root);
    await requireIdle(layout, modelId, world.now());
    await using lock = await acquireLock(copyLock(layout, modelId), {
      purpose: `skulk stage ${modelId}`,
      timeoutMs: waitForOtherMs,
      signal: world.signal,
      onWait: (holder) => world.emit({ type: 'waiting', message: `waiting for ${describeLockHolder(holder)}` }),
    });
    // Somebody may have built it while this process waited.
    const now = options.force ? undefined : await readLocalCopy(layout, modelId);
    if (answer.state === 'direct') return await fetchDirectly(now, lock);
    if (now !== undefined && isSame(now, answer.manifest) && now.changed.size === 0)
      return await cached({ ...answer, manifest: now.manifest });
    await requireReplaceable(layout, modelId);
    // Awaited here: what is returned unawaited would run on after the lock is given back.
    return await build(answer, now, lock);
  });

  async function fetchDirectly(now: LocalCopy | undefined, lock: HeldLock): Promise<StageOutcome> {
    if (now !== undefined && now.changed.size === 0 && hasRevision(ref, now.manifest) && coversPart(ref, now)) return cached(now);
    await requireReplaceable(layout, modelId);
    const { stageFromHub } = await import('./stage-from-hub.ts');
    const { manifest, bytesTransferred } = await stageFromHub(deps, ref, {
      layout,
      lock,
      connections,
      wanted: options.wanted,
      limiter: options.limiter,
    });
    return describe({ source: 'hub', path, manifest, companions: [], transferred: bytesTransferred });
  }

  /** Whatever goes wrong here shows in the stage that follows, if it matters. */
  async function takeAhead(downloads: Downloads, hasEnded: () => boolean): Promise<void> {
    const { stageAhead } = await import('./stage-ahead.ts');
    const { limiter } = options;
    const onBytes = (bytes: number): void => {
      bytesAhead += bytes;
    };
    await stageAhead(deps, { modelId, downloads, layout, connections, limiter, hasEnded, onBytes }).catch((error: unknown) =>
      world.emit({ type: 'note', message: `nothing more is taken ahead: ${String(error)}` }),
    );
  }

  /** Whether a copy is what the store has of what is asked for. */
  function isSame(copy: LocalCopy, manifest: Manifest): boolean {
    return coversPart(ref, copy) && (copy.part?.of ?? copy.manifest.digest) === manifest.digest;
  }

  function selected<T extends { readonly manifest: Manifest }>(found: T): T {
    return { ...found, manifest: selectPart(ref, found.manifest) };
  }

  /** A model that is replaced in the store while it is staged is staged anew, from what came and is still right. */
  async function build(answer: Extract<StoreAnswer, { state: 'manifest' }>, now: LocalCopy | undefined, lock: HeldLock) {
    if (options.force) await removeWorkPlace(incomingCopy(layout, modelId));
    let { manifest } = answer;
    let isRepeated = false;
    for (let round = 1; ; round += 1) {
      try {
        return await buildFrom(selectPart(ref, manifest), manifest.digest, answer, { now, lock });
      } catch (error) {
        if (!(error instanceof SkulkError) || !meansReplaced.has(error.code) || round === mostReplacements) throw error;
        const newer = await answer.askAgain().catch(dropIfDeleted);
        // The same as before: damage in the store, or it was replaced twice meanwhile. One more try tells.
        if (newer.digest === manifest.digest && isRepeated) throw error;
        isRepeated = newer.digest === manifest.digest;
        if (isRepeated) continue;
        world.emit({ type: 'note', message: `${modelId} was replaced in the store while it was staged; staging the new one` });
        manifest = newer;
      }
    }
  }

  /** A copy that appears after its model was deleted would be evicted at once, under whoever was told its path. */
  async function refuseIfDeleted(store: Store, knownDigest: Sha256): Promise<void> {
    try {
      await store.manifest(modelId, { knownDigest, signal: AbortSignal.any([world.signal, AbortSignal.timeout(confirmPatienceMs)]) });
    } catch (error) {
      if (world.signal.aborted) throw world.signal.reason;
      // Who cannot be asked has not said that it is gone.
      if (error instanceof SkulkError && error.code === 'MODEL_NOT_FOUND') throw error;
    }
  }

  /** What came of a model that was deleted meanwhile is of no use to anybody. */
  async function dropIfDeleted(error: unknown): Promise<never> {
    if (!(error instanceof SkulkError) || error.code !== 'MODEL_NOT_FOUND') throw error;
    await removeWorkPlace(incomingCopy(layout, modelId));
    throw new SkulkError('MODEL_NOT_FOUND', `${modelId} was deleted from the store while it was staged`, {
      hint: '`skulk registry` lists what the store has; what had come of it was removed here',
      cause: error,
    });
  }

  async function buildFrom(
    manifest: Manifest,
    whole: Sha256,
    answer: Extract<StoreAnswer, { state: 'manifest' }>,
    { now, lock }: { readonly now: LocalCopy | undefined; readonly lock: HeldLock },
  ) {
    const tools = {
      layout,
      lock,
      signal: AbortSignal.any([world.signal, lock.lost]),
      now: world.now,
      companions: answer.companions,
      confirm: () => refuseIfDeleted(answer.store, whole),
      ...(ref.selector !== undefined && manifest.digest !== whole && { part: { selector: ref.selector, of: whole } }),
      onBytes: (bytesDone: number, bytesTotal: number, bytesAtHand?: number) =>
        world.emit({ type: 'progress', doing: 'staging', subject: modelId, bytesDone, bytesTotal, bytesAtHand }),
    };
    if (answer.canonical !== undefined) {
      const { cloneCopy } = await import('../../staging/clone-copy.ts');
      const { bytesCopied } = await cloneCopy(manifest, answer.canonical, tools);
      return describe({ source: 'clone', path, manifest, companions: answer.companions, transferred: bytesCopied });
    }
    const { applyStage } = await import('../../staging/apply-stage.ts');
    const { store } = answer;
    const plan = await makePlan(layout, manifest, now, options.force);
    const { bytesTransferred } = await applyStage(plan, {
      ...tools,
      limiter: options.limiter,
      fetch: async (pieces) => {
        if (store.fetchPieces === undefined) throw new Error('a store on this disk is cloned from');
        await store.fetchPieces(modelId, { ...pieces, connections: options.connections });
      },
    });
    return describe({ source: 'store', path, manifest, companions: answer.companions, transferred: bytesTransferred + bytesAhead });
  }

  async function cached({ manifest, companions }: Pick<LocalCopy, 'manifest' | 'companions'>): Promise<StageOutcome> {
    if (!options.dryRun) await touchLastUsed(path, world.now());
    return describe({ source: 'cache', path, manifest, companions, transferred: 0 });
  }

  async function describe({
    source,
    path: where,
    manifest,
    companions,
    transferred,
  }: {
    source: StagedModel['source'];
    path: string;
    manifest: Manifest;
    companions: readonly Companion[];
    transferred: number;
  }): Promise<StageOutcome> {
    const bytesTotal = totalBytes(manifest.files);
    if (options.dryRun) {
      const files = manifest.files.map(({ path: file, size }) => ({ path: file, size, action: 'reuse' as const }));
      const { free } = await diskRoom(where);
      return {
        companions,
        files: manifest.files.map((file) => file.path),
        planned: {
          model_id: modelId,
          path: where,
          source,
          bytes_total: bytesTotal,
          bytes_to_transfer: 0,
          bytes_to_reuse: bytesTotal,
          free_bytes: free,
          files,
        },
      };
    }
    const files = selectPart(ref, manifest).files.map((file) => file.path);
    return {
      companions,
      files,
      staged: {
        model_id: modelId,
        path: where,
        source,
        revision: manifest.revision,
        digest: manifest.digest,
        gguf_file: loadableGguf(files) ?? null,
        files: manifest.files.length,
        bytes_total: bytesTotal,
        bytes_transferred: transferred,
        bytes_reused: Math.max(0, bytesTotal - transferred),
        seconds: Math.round(performance.now() - began) / 1000,
      },
    };
  }

  async function describePlan(answer: Extract<StoreAnswer, { state: 'manifest' }>, plan: StagePlan): Promise<StageOutcome> {
    const { free } = await diskRoom(layout.root);
    const isClone = answer.canonical !== undefined;
    const begun = isClone || options.force ? new Map<string, number>() : await begunPieces(layout, modelId);
    const partOf = (source: FileSource): number =>
      source.action === 'reuse'
        ? 0
        : source.fetch.reduce((sum, piece) => {
            const part = begun.get(pieceKey(piece)) ?? 0;
            // A part as large as its piece is none.
            return part < piece.end - piece.start ? sum + part : sum;
          }, 0);
    const inParts = plan.files.reduce((sum, source) => sum + partOf(source), 0);
    return {
      companions: answer.companions,
      files: answer.manifest.files.map((file) => file.path),
      planned: {
        model_id: modelId,
        path,
        source: isClone ? 'clone' : 'store',
        bytes_total: plan.bytesTotal,
        bytes_to_transfer: isClone ? 0 : plan.bytesToFetch - inParts,
        bytes_to_reuse: isClone ? plan.bytesTotal : plan.bytesToReuse + inParts,
        free_bytes: free,
        files: plan.files.map((source) => ({
          path: source.file.path,
          size: source.file.size,
          action:
            source.action === 'reuse' ? 'reuse' : source.resumed.length + source.copied.length + partOf(source) > 0 ? 'resume' : 'fetch',
        })),
      },
    };
  }
}

/** How much is there of pieces that are not whole, by their keys. */
const begunPieces = async (layout: StagingLayout, modelId: ModelId): Promise<ReadonlyMap<string, number>> =>
  readParts(await readJournal(incomingCopy(layout, modelId).journal));

async function makePlan(layout: StagingLayout, manifest: Manifest, local: LocalCopy | undefined, force: boolean): Promise<StagePlan> {
  const { files, journal: path } = incomingCopy(layout, manifest.model_id);
  // A journal whose files have become the copy is left over from a process that died right then.
  const isUnfinished =
    !force &&
    (await stat(files).then(
      (info) => info.isDirectory(),
      () => false,
    ));
  const journal = isUnfinished ? await readJournal(path) : new Set<string>();
  return planStage(manifest, { copy: local, journal });
}

function notHere(modelId: ModelId, local: LocalCopy | undefined): SkulkError {
  const why =
    local === undefined
      ? 'is not staged here'
      : local.changed.size === 0
        ? 'is staged here, but not that part of it'
        : `is staged here, but ${local.changed.size} of its files changed on the disk`;
  return new SkulkError('MODEL_NOT_FOUND', `${modelId} ${why}`, { hint: 'run it again without --offline' });
}
