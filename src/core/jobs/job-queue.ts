import { SkulkError } from '../kernel/errors.ts';
import { describeFailure } from '../kernel/explain-system-error.ts';
import type { World } from '../kernel/world.ts';
import { admitRequest } from './admit-request.ts';
import type { JobKind, JobQueue } from './job-kind.ts';
import { createJobRecords, type JobStorage } from './job-records.ts';
import { createJobRunner } from './job-runner.ts';
import { failureOf, isFinished, type Job } from './job-state.ts';
import { createJobTable, type JobEntry, viewOf } from './job-table.ts';

/** The options of a queue. */
export interface JobQueueOptions<Request, Details> {
  readonly kind: JobKind<Request, Details>;
  /** How many jobs run at the same time; others wait in order. */
  readonly maxRunning: number;
  /** With this many waiting jobs, further requests are rejected. */
  readonly maxPending: number;
  /** How many finished jobs are kept. */
  readonly maxFinished: number;
  /** Without it, jobs live as long as the process. */
  readonly storage?: JobStorage<Request, Details>;
  readonly world: World;
}

/** Nothing runs before the first request or `resume`. */
export function createJobQueue<Request, Details>(options: JobQueueOptions<Request, Details>): JobQueue<Request, Details> {
  const { kind, storage, world, maxFinished } = options;
  const subjectOf = kind.subjectOf ?? kind.modelOf;
  const table = createJobTable<Request, Details>(world.now, subjectOf);
  const records = storage === undefined ? undefined : createJobRecords(storage, world.emit);
  const closing = new AbortController();
  const stopping = AbortSignal.any([closing.signal, world.signal]);
  const write = async (job: Job<Request, Details>): Promise<void> => records?.write(() => job);
  const save = async (entry: JobEntry<Request, Details>): Promise<void> => {
    await records
      ?.write(() => entry.job)
      .catch((error: unknown) => {
        world.emit({ type: 'warning', message: describeFailure(`${kind.describe(entry.job.request)} cannot be saved`, error) });
      });
  };
  const runner = createJobRunner({ kind, table, save, isDurable: records !== undefined, stopping, world }, options);

  let loading: Promise<void> | undefined;
  const load = (): Promise<void> => {
    loading ??= (async () => {
      for (const job of (await records?.readAll()) ?? []) table.put(job);
    })().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const find = async (subject: string): Promise<JobEntry<Request, Details>> => {
    await load();
    const entry = table.get(subject);
    if (entry !== undefined) return entry;
    throw new SkulkError('JOB_NOT_FOUND', `no ${kind.name} job for ${subject}`, { hint: kind.hints.notFound });
  };
  const removeOldest = async (): Promise<void> => {
    for (const job of table.removeOldest(maxFinished)) await records?.remove(job).catch(() => undefined);
  };
  // Two simultaneous requests must not both start a job.
  let submitting: Promise<unknown> = Promise.resolve();
  return {
    load,
    submit: (request) => {
      const submitted = submitting.then(load).then(() => admitRequest(request, { ...options, table, runner, write }));
      submitting = submitted.then(removeOldest, () => undefined);
      return submitted;
    },
    find: async (subject) => viewOf(await find(subject)),
    list: () => table.all().map(viewOf),
    cancel: async (subject) => {
      const entry = await find(subject);
      const { modelId, request } = entry.job;
      if (isFinished(entry.job))
        throw new SkulkError('CONFLICT', `${kind.describe(request)} has ended (${entry.job.status})`, { hint: kind.hints.ended });
      if (!entry.isQueued) await kind.requireOurs?.(modelId);
      const reason = new SkulkError('CANCELLED', 'it was cancelled', { hint: kind.hints.cancelled(request) });
      entry.abort.abort(reason);
      if (entry.work === undefined) {
        table.apply(entry, { type: 'cancel', failure: failureOf(reason) });
        await save(entry);
      }
      await entry.work;
      return viewOf(entry);
    },
    forget: async (subject) => {
      await load();
      const job = table.get(subject)?.job;
      if (job === undefined || !isFinished(job)) return;
      table.remove(subject);
      await records?.remove(job);
    },
    resume: async () => {
      await load();
      for (const entry of table.all()) runner.enqueue(entry);
    },
    isActive: (subject) => {
      const entry = table.get(subject);
      return entry !== undefined && !isFinished(entry.job);
    },
    subscribe: table.subscribe,
    close: async () => {
      closing.abort(new SkulkError('INTERRUPTED', 'skulk is shutting down'));
      await runner.idle();
    },
  };
}
