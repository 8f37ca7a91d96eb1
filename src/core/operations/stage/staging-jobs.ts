import type { Deps } from '../../connect/deps.ts';
import type { JobContext, JobQueue, JobView } from '../../jobs/job-kind.ts';
import { createJobQueue } from '../../jobs/job-queue.ts';
import { isFinished, type JobProgress } from '../../jobs/job-state.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { Emit, SkulkEvent } from '../../kernel/flow/events.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';
import type { StagingJob } from '../../protocol/staging.ts';
import type { StagedModel } from './stage-report.ts';
import { type StagingDetails, stagingKind, stagingStatus } from './staging-kind.ts';
import type { CopySender } from './together/send-copies.ts';

/** The stagings of this node. They live as long as the server. A stage that was cut off resumes at the next request. */
export interface StagingJobs extends Pick<JobQueue<ModelRef, StagingDetails>, 'close'> {
  /**
   * Requests a copy, or joins a running staging.
   * @throws SkulkError CONFLICT if another revision of the same is being staged, or too many wait
   */
  ask(ref: ModelRef): Promise<StagingJob>;
  /**
   * Requests a copy like `ask`, and waits until it is finished. An abort of the signal cancels the job.
   * @param keepMs how long the finished copy stays in use, in milliseconds
   * @returns the transferred bytes
   * @throws SkulkError the failure of the stage; CONFLICT like `ask`
   */
  run(
    ref: ModelRef,
    options: { readonly signal: AbortSignal; readonly keepMs?: number | undefined; readonly onProgress: (job: StagingJob) => void },
  ): Promise<{ readonly bytesTransferred: number }>;
  /** Running and waiting jobs, and the last finished ones. */
  list(): readonly StagingJob[];
  /** Cancels all stagings of a model. Verified data stays for the next try. Throws JOB_NOT_FOUND, CONFLICT if it has ended. */
  cancel(modelId: ModelId): Promise<StagingJob>;
  /** Calls the listener without delay, and often, when a job changed. The returned function removes the listener. */
  subscribe(listener: (change: { readonly hasEnded: boolean }) => void): () => void;
}

const { subjectOf } = stagingKind;
const limits = { maxRunning: 2, maxPending: 100, maxFinished: 20 };
const maxWarnings = 10;

/**
 * @param deps called at each stage, because a node may find its store later
 * @param sender sends copies that were shared to nodes that still receive them; ends with the jobs
 */
export function createStagingJobs(
  world: World,
  deps: () => Promise<Pick<Deps, 'config' | 'connections'>>,
  sender?: CopySender | undefined,
): StagingJobs {
  const staging = { world, deps, sender };
  const queue = createJobQueue<ModelRef, StagingDetails>({
    kind: { ...stagingKind, run: ({ request }, context) => stageOne(request, context, staging) },
    ...limits,
    world,
  });
  return {
    ask: async (ref) => stagingStatus(await queue.submit(ref)),
    run: async (ref, { signal, keepMs, onProgress }) => {
      const job = await runToItsEnd(queue, ref, { signal, onProgress: (one) => onProgress(stagingStatus(one)) });
      if (job.status !== 'complete') {
        const { code, message, hint } = job.failure ?? { code: null, message: 'the stage ended', hint: null };
        throw new SkulkError(code ?? 'INTERRUPTED', message, { hint: hint ?? undefined });
      }
      // This takes the lease first, and stages again if the copy was evicted in between.
      if (keepMs !== undefined) await stageWith(ref, { ...staging, signal, emit: world.emit, keepMs });
      return { bytesTransferred: job.details.bytesTransferred };
    },
    list: () => queue.list().map(stagingStatus),
    cancel: async (modelId) => {
      const ofModel = queue.list().filter((job) => job.modelId === modelId);
      const running = ofModel.filter((job) => !isFinished(job));
      const [first = modelId, ...others] = (running.length > 0 ? running : ofModel.slice(-1)).map(({ request }) => subjectOf(request));
      for (const subject of others) await queue.cancel(subject);
      return stagingStatus(await queue.cancel(first));
    },
    subscribe: (listener) => queue.subscribe((job) => listener({ hasEnded: isFinished(job) })),
    close: async () => {
      await queue.close();
      await sender?.[Symbol.asyncDispose]();
    },
  };
}

/** The dependencies of a stage on this node. */
interface Staging {
  readonly world: World;
  readonly deps: () => Promise<Pick<Deps, 'config' | 'connections'>>;
  readonly sender?: CopySender | undefined;
}

/** Requests a stage and waits until it is finished. @throws SkulkError CONFLICT; the signal's reason, after the job has ended */
async function runToItsEnd(
  queue: JobQueue<ModelRef, StagingDetails>,
  ref: ModelRef,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (job: JobView<ModelRef, StagingDetails>) => void },
): Promise<JobView<ModelRef, StagingDetails>> {
  signal.throwIfAborted();
  const { request } = await queue.submit(ref);
  const subject = subjectOf(request);
  const ending = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const job = queue.list().findLast((one) => subjectOf(one.request) === subject);
        if (job === undefined) {
          reject(new SkulkError('INTERRUPTED', 'the stage is no longer listed'));
          return;
        }
        onProgress(job);
        if (isFinished(job)) resolve(job);
      };
      const stop = queue.subscribe(look);
      ending.signal.addEventListener('abort', stop, { once: true });
      const cancel = (): void =>
        void queue.cancel(subject).then(
          () => reject(signal.reason),
          () => reject(signal.reason),
        );
      signal.addEventListener('abort', cancel, { once: true, signal: ending.signal });
      if (signal.aborted) cancel();
      else look();
    });
  } finally {
    ending.abort();
  }
}

async function stageOne(
  ref: ModelRef,
  { signal, report }: JobContext<StagingDetails>,
  { world, deps, sender }: Staging,
): Promise<JobProgress<StagingDetails>> {
  let warnings: readonly string[] = [];
  const emit = (event: SkulkEvent): void => {
    if (event.type === 'progress') {
      const { doing, bytesDone, bytesTotal, bytesAtHand } = event;
      report({ phase: doing, bytesDone, bytesTotal, ...(bytesAtHand !== undefined && { bytesAtHand }), details: { waitsFor: null } });
    } else if (event.type === 'waiting') report({ details: { waitsFor: event.message } });
    else {
      if (event.type === 'warning') {
        warnings = [...warnings, event.message].slice(-maxWarnings);
        report({ details: { warnings } });
      }
      world.emit(event);
    }
  };
  const staged = await stageWith(ref, { world, deps, signal, emit });
  if (staged.source === 'swarm') sender?.offer(await deps(), ref.modelId);
  const { path, source, bytes_transferred: bytesTransferred } = staged;
  return { bytesTotal: staged.bytes_total, details: { path, source, bytesTransferred } };
}

async function stageWith(
  ref: ModelRef,
  { world, deps, signal, emit, keepMs }: Staging & { readonly signal: AbortSignal; readonly emit: Emit; readonly keepMs?: number },
): Promise<StagedModel> {
  const [{ stageModels }, { config, connections }] = await Promise.all([import('./stage.ts'), deps()]);
  const own: Deps = { config, connections, world: { ...world, signal, emit } };
  const stageReport = await stageModels(own, { refs: [ref], dryRun: false, force: false, offline: false, keepMs });
  const [staged] = 'staged' in stageReport ? stageReport.staged : [];
  if (staged === undefined) throw new Error('nothing was staged, for an unknown reason');
  return staged;
}
