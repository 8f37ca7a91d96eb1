import type { Deps } from '../../connect/deps.ts';
import type { JobContext, JobQueue } from '../../jobs/job-kind.ts';
import { createJobQueue } from '../../jobs/job-queue.ts';
import { isFinished, type JobProgress } from '../../jobs/job-state.ts';
import type { SkulkEvent } from '../../kernel/flow/events.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';
import type { StagingJob } from '../../protocol/staging.ts';
import { type StagingDetails, stagingKind, stagingStatus } from './staging-kind.ts';

/** The stagings of this node. They live as long as the server. A stage that was cut off resumes at the next request. */
export interface StagingJobs extends Pick<JobQueue<ModelRef, StagingDetails>, 'close'> {
  /**
   * Requests a copy, or joins a running staging.
   * @throws SkulkError CONFLICT if another revision of the same is being staged, or too many wait
   */
  ask(ref: ModelRef): Promise<StagingJob>;
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

/** @param deps called at each stage, because a node may find its store later */
export function createStagingJobs(world: World, deps: () => Promise<Pick<Deps, 'config' | 'connections'>>): StagingJobs {
  const queue = createJobQueue<ModelRef, StagingDetails>({
    kind: { ...stagingKind, run: ({ request }, context) => stageOne(request, context, { world, deps }) },
    ...limits,
    world,
  });
  return {
    ask: async (ref) => stagingStatus(await queue.submit(ref)),
    list: () => queue.list().map(stagingStatus),
    cancel: async (modelId) => {
      const ofModel = queue.list().filter((job) => job.modelId === modelId);
      const running = ofModel.filter((job) => !isFinished(job));
      const [first = modelId, ...others] = (running.length > 0 ? running : ofModel.slice(-1)).map(({ request }) => subjectOf(request));
      for (const subject of others) await queue.cancel(subject);
      return stagingStatus(await queue.cancel(first));
    },
    subscribe: (listener) => queue.subscribe((job) => listener({ hasEnded: isFinished(job) })),
    close: queue.close,
  };
}

async function stageOne(
  ref: ModelRef,
  { signal, report }: JobContext<StagingDetails>,
  { world, deps }: { readonly world: World; readonly deps: () => Promise<Pick<Deps, 'config' | 'connections'>> },
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
  const [{ stageModels }, { config, connections }] = await Promise.all([import('./stage.ts'), deps()]);
  const own: Deps = { config, connections, world: { ...world, signal, emit } };
  const stageReport = await stageModels(own, { refs: [ref], dryRun: false, force: false, offline: false });
  const [staged] = 'staged' in stageReport ? stageReport.staged : [];
  if (staged === undefined) throw new Error('nothing was staged, for an unknown reason');
  return { bytesTotal: staged.bytes_total, details: { path: staged.path, source: staged.source } };
}
