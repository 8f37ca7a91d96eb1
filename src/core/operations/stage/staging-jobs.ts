import type { Deps } from '../../connect/deps.ts';
import { createTransferRate, type TransferRate } from '../../jobs/transfer-rate.ts';
import { type ErrorCode, SkulkError } from '../../kernel/errors.ts';
import type { SkulkEvent } from '../../kernel/flow/events.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';
import type { StagedModel } from './stage-report.ts';

/** A model that this node stages because a page or a program asked for it; sizes in bytes, times ISO 8601. */
export interface StagingJob {
  readonly model_id: ModelId;
  readonly revision: string | null;
  readonly selector: string | null;
  readonly status: 'pending' | 'staging' | 'complete' | 'failed';
  /** `staging`, or what comes before it, such as `downloading`; null while nothing moves. */
  readonly doing: string | null;
  readonly bytes_done: number;
  readonly bytes_total: number;
  /** Over the last seconds; null while it is not known. */
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
  /** What it waits for, as a sentence. */
  readonly waits_for: string | null;
  readonly warnings: readonly string[];
  /** Where the copy is, once there is one. */
  readonly path: string | null;
  readonly source: StagedModel['source'] | null;
  readonly error: string | null;
  readonly error_code: ErrorCode | null;
  readonly hint: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** What this node stages. It lives as long as the server: a stage that was cut off goes on when it is asked for again. */
export interface StagingJobs {
  /**
   * Asks for a copy; what is being staged is joined.
   * @throws SkulkError CONFLICT when another part or revision of the model is being staged, or very many wait
   */
  ask(ref: ModelRef): StagingJob;
  /** What runs and waits, and what ended last. */
  list(): readonly StagingJob[];
  /** Stops one; what is verified stays for the next try. Throws JOB_NOT_FOUND, CONFLICT when it has ended. */
  cancel(modelId: ModelId): Promise<StagingJob>;
  /** Has something told, at once and often, when one changed; the returned function ends that. */
  onChange(listener: () => void): () => void;
  /** Stops all. */
  close(): Promise<void>;
}

interface Job {
  state: StagingJob;
  rate: TransferRate;
  readonly ref: ModelRef;
  readonly abort: AbortController;
  work?: Promise<void>;
}

/** So many run at one time; the others wait in order. */
const most = 2;
const mostWaiting = 100;
const mostEnded = 20;
const mostWarnings = 10;

/** @param deps what a command on this node works with; asked for at each stage, as a node may find its store later */
export function createStagingJobs(world: World, deps: () => Promise<Pick<Deps, 'world' | 'config'>>): StagingJobs {
  /** The newest of each model, in the order in which they were asked for. */
  const jobs = new Map<ModelId, Job>();
  const waiting: Job[] = [];
  const closing = new AbortController();
  const listeners = new Set<() => void>();
  let running = 0;

  const change = (job: Job, changes: Partial<StagingJob>): void => {
    job.state = { ...job.state, ...changes, updated_at: world.now().toISOString() };
    for (const tell of listeners) tell();
  };
  const hear = (job: Job, event: SkulkEvent): void => {
    if (event.type === 'progress') {
      if (event.doing !== job.state.doing) job.rate = createTransferRate();
      job.rate.add(event.bytesDone, performance.now());
      change(job, { doing: event.doing, bytes_done: event.bytesDone, bytes_total: event.bytesTotal, waits_for: null });
    } else if (event.type === 'waiting') change(job, { waits_for: event.message });
    else {
      if (event.type === 'warning') change(job, { warnings: [...job.state.warnings, event.message].slice(-mostWarnings) });
      world.emit(event);
    }
  };
  const stage = async (job: Job): Promise<StagedModel> => {
    const signal = AbortSignal.any([world.signal, closing.signal, job.abort.signal]);
    const [{ stageModels }, { config }] = await Promise.all([import('./stage.ts'), deps()]);
    const own: Deps = { config, world: { ...world, signal, emit: (event) => hear(job, event) } };
    const report = await stageModels(own, { refs: [job.ref], dryRun: false, force: false, offline: false });
    const [staged] = 'staged' in report ? report.staged : [];
    if (staged === undefined) throw new Error('nothing was staged, and nothing was said');
    return staged;
  };
  const run = async (job: Job): Promise<void> => {
    change(job, { status: 'staging' });
    try {
      const { path, source, bytes_total } = await stage(job);
      change(job, { status: 'complete', path, source, bytes_total, bytes_done: bytes_total, waits_for: null });
    } catch (error) {
      const cause = job.abort.signal.aborted ? job.abort.signal.reason : error;
      const known = cause instanceof SkulkError ? cause : undefined;
      if (known === undefined) world.emit({ type: 'warning', message: `staging ${job.state.model_id} failed: ${String(cause)}` });
      change(job, {
        status: 'failed',
        waits_for: null,
        error: known?.message ?? 'something went wrong inside skulk',
        error_code: known?.code ?? null,
        hint: known === undefined ? 'the log of `skulk serve` says more; please report it' : (known.hint ?? null),
      });
    }
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
  const forgetOldest = (): void => {
    const ended = [...jobs.values()].filter(hasEnded).toSorted((a, b) => (a.state.updated_at < b.state.updated_at ? -1 : 1));
    for (const { state } of ended.slice(0, Math.max(0, ended.length - mostEnded))) jobs.delete(state.model_id);
  };

  return {
    ask: (ref) => {
      const before = jobs.get(ref.modelId);
      if (before !== undefined && !hasEnded(before)) {
        if (before.ref.revision === ref.revision && before.ref.selector === ref.selector) return describe(before);
        throw new SkulkError('CONFLICT', `another part or revision of ${ref.modelId} is being staged`, {
          hint: 'wait for it to end, then ask again',
        });
      }
      if (waiting.length >= mostWaiting)
        throw new SkulkError('CONFLICT', `${waiting.length} models wait to be staged, more are not taken`, {
          hint: 'wait for some to end',
        });
      const job = { ref, state: newState(ref, world.now()), rate: createTransferRate(), abort: new AbortController() };
      jobs.delete(ref.modelId);
      jobs.set(ref.modelId, job);
      waiting.push(job);
      forgetOldest();
      startNext();
      change(job, {});
      return describe(job);
    },
    list: () => [...jobs.values()].map(describe),
    cancel: async (modelId) => {
      const job = jobs.get(modelId);
      if (job === undefined)
        throw new SkulkError('JOB_NOT_FOUND', `${modelId} is not being staged on this node`, { hint: 'GET /node/stage lists what is' });
      if (hasEnded(job)) throw new SkulkError('CONFLICT', `staging ${modelId} has ended (${job.state.status})`);
      const reason = new SkulkError('CANCELLED', 'it was cancelled', { hint: 'what is verified is kept: staging it again goes on' });
      job.abort.abort(reason);
      const place = waiting.indexOf(job);
      if (place !== -1) {
        waiting.splice(place, 1);
        change(job, { status: 'failed', error: reason.message, error_code: reason.code, hint: reason.hint ?? null });
      }
      await job.work;
      return describe(job);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => {
      closing.abort(new SkulkError('TERMINATED', 'the server ends'));
      await Promise.all([...jobs.values()].map(({ work }) => work));
    },
  };
}

const hasEnded = ({ state: { status } }: Job): boolean => status === 'complete' || status === 'failed';

function describe({ state, rate }: Job): StagingJob {
  const perSecond = state.status === 'staging' ? rate.perSecond(performance.now()) : null;
  return {
    ...state,
    bytes_per_second: perSecond,
    seconds_left: perSecond !== null && perSecond > 0 ? Math.ceil((state.bytes_total - state.bytes_done) / perSecond) : null,
  };
}

const newState = ({ modelId, revision, selector }: ModelRef, now: Date): StagingJob => ({
  model_id: modelId,
  revision: revision ?? null,
  selector: selector ?? null,
  status: 'pending',
  doing: null,
  bytes_done: 0,
  bytes_total: 0,
  bytes_per_second: null,
  seconds_left: null,
  waits_for: null,
  warnings: [],
  path: null,
  source: null,
  error: null,
  error_code: null,
  hint: null,
  created_at: now.toISOString(),
  updated_at: now.toISOString(),
});
