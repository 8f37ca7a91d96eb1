import type { EngineSearch } from '../engines/contract.ts';
import { memoryLimitOf } from '../engines/memory-limit.ts';
import type { Clock } from '../engines/watch-silence.ts';
import type { Optimizations, OptimizeRequest, OptimizeWishes } from '../jobs/contract.ts';
import { followEnds, type JobEnd } from '../jobs/job-end.ts';
import type { JobQueue, JobView } from '../jobs/job-kind.ts';
import { createJobQueue } from '../jobs/job-queue.ts';
import { isFinished } from '../jobs/job-state.ts';
import { decodeOptimization, encodeOptimization, type OptimizeDetails, optimizationStatusOf, optimizeKind } from '../jobs/optimize-kind.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { describeLockHolder, type HeldLock, readLock } from '../kernel/process/lock.ts';
import type { World } from '../kernel/world.ts';
import type { OptimizationPlan } from '../protocol/optimizations.ts';
import { storeLayout } from '../store/layout.ts';
import type { LocalStore } from '../store/local-store.ts';
import { diskRoom } from '../transfer/disk-room.ts';
import { holderOfPlace, jobsOf, tidyPlaces } from './engine-place.ts';
import { makeVariant, resultOf } from './make-variant.ts';
import { inspectTarget, planVariant, requireFree, requireMeans } from './plan-variant.ts';

/** The variants that this machine makes for its store. */
export interface HostOptimizations extends Optimizations, Pick<JobQueue<OptimizeRequest, OptimizeDetails>, 'subscribe' | 'close'> {
  /** Ends engines that a dead process left, and resumes its jobs. */
  resume(): Promise<void>;
  /** Calls the listener once for each optimization that ends from now on. The returned function removes the listener. */
  onEnd(listener: (end: JobEnd) => void): () => void;
  /** Whether an unfinished job reads or makes a model. */
  isActive(modelId: ModelId): boolean;
}

/** The options of a store's optimizations. */
export interface HostOptimizationsOptions {
  readonly store: LocalStore;
  readonly world: World;
  /** The store's lock, in the process that serves it. */
  readonly held?: Pick<HeldLock, 'assertHeld'> | undefined;
  /** The processor architecture of this machine, in Node's words. */
  readonly arch?: string | undefined;
  /** Other work on a model, as a participle; undefined if there is none. */
  readonly isBusy?: (modelId: ModelId) => string | undefined;
  /** Measures an engine's silence; by default the clock of this machine. */
  readonly clock?: Clock | undefined;
}

const maxPending = 100;
/** The maximum number of requests waiting for an answer. */
const maxAsking = 20;
const maxFinished = 100;

/** Nothing runs before the first request or `resume`. One engine works at a time. */
export function createHostOptimizations({
  store,
  world,
  held,
  arch = process.arch,
  isBusy = () => undefined,
  clock,
}: HostOptimizationsOptions): HostOptimizations {
  const layout = storeLayout(store.root);
  const searchWith = (signal: AbortSignal): EngineSearch => ({
    env: world.env,
    platform: world.platform,
    arch,
    homeDirectory: world.homeDirectory,
    signal,
  });
  const queue = createJobQueue<OptimizeRequest, OptimizeDetails>({
    kind: {
      ...optimizeKind,
      findResult: async (request) => {
        const state = await inspectTarget(store, request, world.signal);
        requireFree(state, request);
        return state.is === 'complete' ? { details: resultOf(store, request, state).details ?? {} } : undefined;
      },
      requireOurs: async (targetId) => {
        const holder = await readLock(holderOfPlace(layout, targetId));
        if (holder !== undefined)
          throw new SkulkError('LOCKED', `${describeLockHolder(holder)} is making ${targetId}`, {
            hint: 'wait until it has finished, or stop that process, then try again',
          });
      },
      run: ({ request }, context) => makeVariant(request, context, { store, world, where: searchWith(context.signal), clock }),
    },
    storage: { directory: jobsOf(layout), encode: encodeOptimization, decode: decodeOptimization, assertHeld: held?.assertHeld },
    maxRunning: 1,
    maxPending,
    maxFinished,
    world,
  });
  // Planning starts programs, so simultaneous requests wait for each other.
  let planning: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting >= maxAsking)
      throw new SkulkError('STORE_BUSY', `${waiting} requests for optimizations are waiting`, {
        hint: 'try again in a moment',
        retryAfterMs: 2000,
      });
    waiting += 1;
    const done = planning.then(work).finally(() => {
      waiting -= 1;
    });
    planning = done.catch(() => undefined);
    return done;
  };
  const isOf = (modelId: ModelId) => (job: JobView<OptimizeRequest, OptimizeDetails>) =>
    job.request.modelId === modelId || job.request.targetId === modelId;
  const find = async (modelId: ModelId): Promise<readonly JobView<OptimizeRequest, OptimizeDetails>[]> => {
    await queue.load();
    return queue.list().filter(isOf(modelId));
  };
  return {
    ask: async (wishes, { join = false } = {}) =>
      inTurn(async () => {
        // A model whose first download is running is not in the store yet.
        refuseBusy(wishes.modelId, isBusy(wishes.modelId));
        const variant = await planVariant(store, wishes, searchWith(world.signal));
        const { request } = variant;
        for (const modelId of [request.modelId, request.targetId]) refuseBusy(modelId, isBusy(modelId));
        await queue.load();
        if (queue.isActive(request.targetId)) {
          // The existing job already has its directory and its space. A different job for the same id is rejected there.
          if (join) return optimizationStatusOf(await queue.submit(request));
          throw new SkulkError('CONFLICT', `${request.targetId} is already being made`, {
            hint: '`skulk optimizations` shows its progress',
          });
        }
        if ((await inspectTarget(store, request, world.signal)).is !== 'complete') {
          await store.requirePlace(request.targetId);
          await requireMeans(store, variant, memoryLimitOf(searchWith(world.signal))?.bytes);
        }
        return optimizationStatusOf(await queue.submit(request));
      }),
    plan: async (wishes) => inTurn(() => describePlan(store, wishes, searchWith(world.signal))),
    status: async (modelId) => optimizationStatusOf((await find(modelId)).at(-1) ?? (await queue.find(modelId))),
    list: async ({ recent = false } = {}) => {
      await queue.load();
      return queue
        .list()
        .filter((job) => recent || !isFinished(job))
        .map(optimizationStatusOf);
    },
    cancel: async (modelId) => {
      const active = (await find(modelId)).filter((job) => !isFinished(job));
      const making = active.filter(({ request }) => request.targetId === modelId);
      const [last, ...others] = (making.length > 0 ? making : active).toReversed();
      // Waiting ones are cancelled first, so that none of them begins in the meantime.
      if (last === undefined) return optimizationStatusOf(await queue.cancel((await find(modelId)).at(-1)?.request.targetId ?? modelId));
      const stopped = await queue.cancel(last.request.targetId);
      for (const { request } of others) await queue.cancel(request.targetId).catch(() => undefined);
      return optimizationStatusOf(stopped);
    },
    resume: async () => {
      await queue.load();
      const waiting = new Set(
        queue
          .list()
          .filter((job) => job.status !== 'complete' && job.status !== 'cancelled')
          .map(({ request }) => request.targetId),
      );
      await tidyPlaces(layout, (targetId) => waiting.has(targetId));
      await queue.resume();
    },
    isActive: (modelId) => queue.list().some((job) => !isFinished(job) && isOf(modelId)(job)),
    subscribe: queue.subscribe,
    onEnd: (listener) => followEnds(queue, ({ targetId }) => targetId, listener),
    close: queue.close,
  };
}

function refuseBusy(modelId: ModelId, busy: string | undefined): void {
  if (busy === undefined) return;
  throw new SkulkError('CONFLICT', `${modelId} is being ${busy}`, { hint: 'wait until that has finished, then try again' });
}

async function describePlan(store: LocalStore, wishes: OptimizeWishes, where: EngineSearch): Promise<OptimizationPlan> {
  const { plan, request, found } = await planVariant(store, wishes, where);
  return {
    modelId: request.modelId,
    targetId: request.targetId,
    engine: request.engine,
    engineVersion: found.version,
    program: found.program,
    type: plan.type,
    bits: plan.bits,
    bytes: plan.bytes,
    is_exact: plan.isExact,
    source_bytes: plan.sourceBytes,
    room_bytes: plan.roomBytes,
    free_bytes: (await diskRoom(store.root)).free,
    files: plan.sourceFiles,
    warnings: plan.warnings,
    state: (await inspectTarget(store, request, where.signal)).is,
  };
}
