import { randomBytes } from 'node:crypto';
import { SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { World } from '../kernel/world.ts';
import type { ArrivedChunk, DownloadRequest, DownloadStatus, Downloads } from './contract.ts';
import { createDownloadRate, type DownloadRate } from './download-rate.ts';
import { readJobs, removeJob, writeJob } from './job-file.ts';
import { isCovered, newState } from './job-state.ts';

/** What a running download tells. */
export interface DownloadReport {
  readonly commit?: string;
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
  readonly chunk?: ArrivedChunk;
}

/** What the queue works with. */
export interface QueueOptions {
  /** Where jobs are written down. */
  readonly directory: string;
  /** How many downloads run at one time; the rest wait in order. */
  readonly most: number;
  /** Whether what is asked for is in the store already. */
  readonly isThere: (request: DownloadRequest) => Promise<boolean>;
  /** Throws HUB_OFFLINE when nothing may be fetched. */
  readonly requireOnline: () => void;
  /** Fetches and publishes; goes on where an earlier try stopped. */
  readonly fetch: (request: DownloadRequest, signal: AbortSignal, report: (now: DownloadReport) => void) => Promise<void>;
  readonly world: World;
  /** Asked by a server before each job is written down: rejects when another process has taken the store's lock. */
  readonly assertHeld?: (() => Promise<void>) | undefined;
}

/** The downloads of this machine's store. */
export interface DownloadQueue extends Downloads {
  /** Takes up what an earlier process left. */
  resume(): Promise<void>;
  /** Whether a model waits or is being fetched. */
  isActive(modelId: ModelId): boolean;
  /** Settles when the model's download has ended, one way or the other. */
  ended(modelId: ModelId): Promise<DownloadStatus>;
  /** Which chunk a number of a run means, or undefined. */
  findArrived(modelId: ModelId, which: { readonly run: string; readonly number: number }): ArrivedChunk | undefined;
  /** Has something told, at once and often, when a download changed; the returned function ends that. */
  onChange(listener: () => void): () => void;
  /** Stops what runs; it is taken up by the next process. */
  close(): Promise<void>;
}

interface Job {
  state: DownloadStatus;
  readonly rate: DownloadRate;
  readonly abort: AbortController;
  /** Names this run among those of the same model. */
  readonly run: string;
  readonly arrived: ArrivedChunk[];
  work?: Promise<void>;
  savedAt: number;
  saving: Promise<void>;
}

/** Progress is written down so often, in milliseconds. */
const saveEveryMs = 2_000;
const mostRecent = 100;
/** How many arrived chunks are told at a time. */
const mostChunks = 500;

/** Nothing runs before something is asked for or `resume` is called. */
export function createDownloadQueue({ directory, most, isThere, requireOnline, fetch, world, assertHeld }: QueueOptions): DownloadQueue {
  const jobs = new Map<ModelId, Job>();
  const waiting: Job[] = [];
  const closing = new AbortController();
  const listeners = new Set<() => void>();
  let running = 0;
  let loaded: Promise<void> | undefined;
  const load = (): Promise<void> => {
    loaded ??= (async () => {
      for (const state of await readJobs(directory, world.emit)) if (!jobs.has(state.modelId)) jobs.set(state.modelId, makeJob(state));
    })();
    return loaded;
  };
  const makeJob = (state: DownloadStatus): Job => ({
    state,
    rate: createDownloadRate(),
    abort: new AbortController(),
    run: randomBytes(8).toString('hex'),
    arrived: [],
    savedAt: 0,
    saving: Promise.resolve(),
  });
  const isRunning = ({ state: { status } }: Job): boolean => status === 'pending' || status === 'downloading';

  const change = (job: Job, changes: Partial<DownloadStatus>): void => {
    job.state = { ...job.state, ...changes, updated_at: world.now().toISOString() };
    for (const tell of listeners) tell();
  };
  /** One write after the other, always of the newest state. */
  const save = (job: Job): Promise<void> => {
    job.savedAt = performance.now();
    job.saving = job.saving
      .catch(() => undefined)
      .then(() => assertHeld?.())
      .then(() => writeJob(directory, { ...job.state, bytes_per_second: null, seconds_left: null }));
    return job.saving;
  };
  const saveOrWarn = (job: Job): Promise<void> =>
    save(job).catch((error: unknown) =>
      world.emit({ type: 'warning', message: `the download of ${job.state.modelId} cannot be written down: ${(error as Error).message}` }),
    );

  const describe = ({ state, rate }: Job): DownloadStatus => {
    const perSecond = state.status === 'downloading' ? rate.perSecond(performance.now()) : null;
    const left = state.bytes_total - state.bytes_done;
    return {
      ...state,
      bytes_per_second: perSecond,
      seconds_left: perSecond !== null && perSecond > 0 ? Math.ceil(left / perSecond) : null,
    };
  };

  const report = (job: Job, { commit, bytesDone, bytesTotal, chunk }: DownloadReport): void => {
    if (chunk !== undefined) job.arrived.push(chunk);
    const total = bytesTotal ?? job.state.bytes_total;
    // Of the same bytes it never has fewer than it had, whatever a kill cost.
    const before = total === job.state.bytes_total ? job.state.bytes_done : 0;
    const done = Math.min(total, Math.max(before, bytesDone ?? 0));
    if (bytesDone !== undefined) job.rate.add(bytesDone, performance.now());
    change(job, {
      bytes_total: total,
      bytes_done: done,
      // Only what is published is complete.
      progress: total === 0 ? 0 : Math.min(0.999, done / total),
      ...(commit !== undefined && { commit }),
    });
    if (commit !== undefined || performance.now() - job.savedAt > saveEveryMs) void saveOrWarn(job);
  };

  const run = async (job: Job): Promise<void> => {
    const { modelId, revision, gguf_file, selector, exact } = job.state;
    change(job, { status: 'downloading', error: null, error_code: null, hint: null });
    await saveOrWarn(job);
    try {
      const signal = AbortSignal.any([job.abort.signal, closing.signal]);
      const request = {
        modelId,
        revision: revision ?? undefined,
        ggufFile: gguf_file ?? undefined,
        selector: selector ?? undefined,
        exact,
      };
      await fetch(request, signal, (now) => report(job, now));
      change(job, { status: 'complete', progress: 1, bytes_done: job.state.bytes_total });
    } catch (error) {
      // It is taken up by the next process.
      if (closing.signal.aborted && !job.abort.signal.aborted) return await saveOrWarn(job);
      const cause = job.abort.signal.aborted ? job.abort.signal.reason : error;
      const known = cause instanceof SkulkError ? cause : undefined;
      if (known === undefined) world.emit({ type: 'warning', message: `the download of ${modelId} failed: ${String(cause)}` });
      change(job, {
        status: 'failed',
        error: known?.message ?? `an unexpected error: ${String(cause)}`,
        error_code: known?.code ?? null,
        hint: known?.hint ?? null,
      });
    }
    await saveOrWarn(job);
  };

  const startNext = (): void => {
    while (running < most && waiting.length > 0 && !closing.signal.aborted) {
      const job = waiting.shift();
      if (job === undefined) return;
      running += 1;
      job.work = run(job).finally(() => {
        running -= 1;
        startNext();
      });
    }
  };
  const enqueue = (job: Job): void => {
    jobs.set(job.state.modelId, job);
    waiting.push(job);
    for (const tell of listeners) tell();
    startNext();
  };

  const find = async (modelId: ModelId): Promise<Job> => {
    await load();
    const job = jobs.get(modelId);
    if (job !== undefined) return job;
    throw new SkulkError('JOB_NOT_FOUND', `no download job for ${modelId}`, {
      hint: '`skulk downloads` lists downloads, `skulk uploads` unfinished uploads',
    });
  };

  const forgetOldest = async (): Promise<void> => {
    const ended = [...jobs.values()]
      .filter((job) => !isRunning(job))
      .toSorted((a, b) => (a.state.updated_at < b.state.updated_at ? -1 : 1));
    for (const { state } of ended.slice(0, Math.max(0, ended.length - mostRecent))) {
      jobs.delete(state.modelId);
      await removeJob(directory, state.modelId).catch(() => undefined);
    }
  };

  const complete = (request: DownloadRequest, before: DownloadStatus | undefined): DownloadStatus => ({
    ...(before ?? newState(request, world.now())),
    status: 'complete',
    progress: 1,
    error: null,
    error_code: null,
    hint: null,
  });

  // Two who ask at once must not both begin.
  let asking: Promise<unknown> = Promise.resolve();
  const ask = async (request: DownloadRequest): Promise<DownloadStatus> => {
    await load();
    const job = jobs.get(request.modelId);
    if (job !== undefined && isRunning(job)) {
      if (isCovered(request, job.state)) return describe(job);
      throw new SkulkError('CONFLICT', `${request.modelId} is being downloaded with other files or another revision`, {
        hint: 'wait for it to end, then ask again',
      });
    }
    if (await isThere(request)) return complete(request, job?.state);
    requireOnline();
    const next = makeJob(newState(request, world.now()));
    // What an earlier try has of the same is not asked for again, so it shows from the beginning.
    if (job !== undefined && job.state.status === 'failed' && isCovered(request, job.state))
      change(next, {
        bytes_done: job.state.bytes_done,
        bytes_total: job.state.bytes_total,
        progress: job.state.progress,
        commit: job.state.commit,
      });
    await save(next);
    enqueue(next);
    await forgetOldest();
    return describe(next);
  };

  return {
    ask: (request) => {
      const answer = asking.then(() => ask(request));
      asking = answer.catch(() => undefined);
      return answer;
    },
    status: async (modelId) => describe(await find(modelId)),
    list: async ({ recent = false } = {}) => {
      await load();
      return [...jobs.values()]
        .filter((job) => recent || isRunning(job))
        .map(describe)
        .toSorted((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0));
    },
    cancel: async (modelId) => {
      const job = await find(modelId);
      if (!isRunning(job)) throw new SkulkError('CONFLICT', `the download of ${modelId} has ended (${job.state.status})`);
      const reason = new SkulkError('CANCELLED', 'it was cancelled', { hint: `what came is kept: \`skulk download ${modelId}\` goes on` });
      job.abort.abort(reason);
      const place = waiting.indexOf(job);
      if (place !== -1) {
        waiting.splice(place, 1);
        change(job, { status: 'failed', error: reason.message, error_code: reason.code, hint: reason.hint ?? null });
        await saveOrWarn(job);
      }
      await job.work;
      return describe(job);
    },
    arrived: async (modelId, from) => {
      const job = jobs.get(modelId);
      if (job?.state.status !== 'downloading') return { run: null, from, chunks: [] };
      return { run: job.run, from, chunks: job.arrived.slice(from, from + mostChunks) };
    },
    readArrived: () => {
      throw new Error('a process has what it downloads itself');
    },
    findArrived: (modelId, { run: wanted, number }) => {
      const job = jobs.get(modelId);
      return job?.run === wanted ? job.arrived[number] : undefined;
    },
    resume: async () => {
      await load();
      for (const job of jobs.values()) if (isRunning(job) && job.work === undefined && !waiting.includes(job)) waiting.push(job);
      startNext();
    },
    isActive: (modelId) => {
      const job = jobs.get(modelId);
      return job !== undefined && isRunning(job);
    },
    ended: async (modelId) => {
      const job = await find(modelId);
      while (job.work === undefined && isRunning(job)) await new Promise((resolve) => setTimeout(resolve, 50));
      await job.work;
      return describe(job);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => {
      closing.abort(new SkulkError('INTERRUPTED', 'the store is being closed'));
      await Promise.allSettled([...jobs.values()].map(({ work }) => work));
    },
  };
}
