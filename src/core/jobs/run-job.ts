import { SkulkError } from '../kernel/errors.ts';
import type { World } from '../kernel/world.ts';
import type { JobKind } from './job-kind.ts';
import { failureOf, type JobEvent, type JobProgress } from './job-state.ts';
import type { JobEntry, JobTable } from './job-table.ts';

/** Progress is written down so often, in milliseconds. */
const saveEveryMs = 2_000;

/** What a run needs of its queue. */
export interface RunContext<Request, Details> {
  readonly kind: JobKind<Request, Details>;
  readonly table: JobTable<Request, Details>;
  /** Writes a job down, where jobs are; never rejects. */
  readonly save: (entry: JobEntry<Request, Details>) => Promise<void>;
  /** Whether the next process takes up what this one leaves. */
  readonly isDurable: boolean;
  /** Aborted when the queue is closed, or the process is to end. */
  readonly stopping: AbortSignal;
  readonly world: World;
}

/** Runs a pending job to its end, whatever that is, and writes it down. Never rejects. */
export async function runJob<Request, Details>(entry: JobEntry<Request, Details>, context: RunContext<Request, Details>): Promise<void> {
  const { kind, table, stopping } = context;
  table.apply(entry, { type: 'start' });
  let savedAt = performance.now();
  const save = (): Promise<void> => {
    savedAt = performance.now();
    return context.save(entry);
  };
  const report = (progress: JobProgress<Details>): void => {
    table.apply(entry, { type: 'progress', progress });
    if (performance.now() - savedAt > saveEveryMs) void save();
  };
  await save();
  try {
    const signal = AbortSignal.any([entry.abort.signal, stopping]);
    signal.throwIfAborted();
    const progress = await kind.run(entry.job, { signal, report, save });
    table.apply(entry, { type: 'complete', progress });
  } catch (error) {
    table.apply(entry, eventOf(error, entry, context));
  }
  await save();
}

/** What an error of a run means: somebody stopped the job, the process ends, or the work failed. */
function eventOf<Request, Details>(
  error: unknown,
  { abort, job }: JobEntry<Request, Details>,
  { kind, isDurable, stopping, world }: RunContext<Request, Details>,
): JobEvent<Details> {
  if (abort.signal.aborted) return { type: 'cancel', failure: failureOf(abort.signal.reason) };
  if (isDurable && stopping.aborted) return { type: 'interrupt' };
  if (!(error instanceof SkulkError)) world.emit({ type: 'warning', message: `${kind.describe(job.request)} failed: ${String(error)}` });
  return { type: 'fail', failure: failureOf(error) };
}
