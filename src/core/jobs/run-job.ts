import { SkulkError } from '../kernel/errors.ts';
import { describeFailure } from '../kernel/explain-system-error.ts';
import type { World } from '../kernel/world.ts';
import type { JobKind } from './job-kind.ts';
import { failureOf, type JobEvent, type JobProgress } from './job-state.ts';
import type { JobEntry, JobTable } from './job-table.ts';

/** How often progress is saved, in milliseconds. */
const saveEveryMs = 2_000;

/** What a run needs from its queue. */
export interface RunContext<Request, Details> {
  readonly kind: JobKind<Request, Details>;
  readonly table: JobTable<Request, Details>;
  /** Saves a job, if the queue has storage; never rejects. */
  readonly save: (entry: JobEntry<Request, Details>) => Promise<void>;
  /** Whether the next process resumes unfinished jobs. */
  readonly isDurable: boolean;
  /** Aborted when the queue closes, or the process is about to end. */
  readonly stopping: AbortSignal;
  readonly world: World;
}

/** Runs a pending job until it has ended in any way, and saves it. Never rejects. */
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

/** The event for an error of a run: a cancellation, the end of the process, or a failure. */
function eventOf<Request, Details>(
  error: unknown,
  { abort, job, bytesLost }: JobEntry<Request, Details>,
  { kind, isDurable, stopping, world }: RunContext<Request, Details>,
): JobEvent<Details> {
  if (abort.signal.aborted) return { type: 'cancel', failure: failureOf(abort.signal.reason), bytesLost };
  if (isDurable && stopping.aborted) return { type: 'interrupt' };
  if (!(error instanceof SkulkError))
    world.emit({ type: 'warning', message: describeFailure(`${kind.describe(job.request)} failed`, error) });
  return { type: 'fail', failure: failureOf(error), bytesLost };
}
