import type { JobEnd } from '../../jobs/job-end.ts';
import type { ActivityEntry } from '../../protocol/events.ts';

/** The entries about the ends of jobs, with the names of those who asked for them. */
export interface JobEnds {
  /** Call it with every entry. */
  recorded(entry: Omit<ActivityEntry, 'at'>): void;
  /** Call it once for each job. */
  ended(end: JobEnd): Promise<void>;
}

interface JobEndsOptions {
  /** The start of this server, ISO 8601. */
  readonly began: string;
  readonly record: (entry: Omit<ActivityEntry, 'at'>) => void;
  /** The oldest accepted request for a job in the log, also one to an earlier server. */
  readonly find: (job: string) => Promise<ActivityEntry | undefined>;
}

/** So many ends are remembered: a request may be recorded a moment after its job has ended. */
const maxEnds = 1000;

/** Nothing is recorded about a job that nobody asked for, such as one for a file that a Hub client reads. */
export function createJobEnds({ began, record, find }: JobEndsOptions): JobEnds {
  /** The first request for each unfinished job. */
  const asked = new Map<string, Omit<ActivityEntry, 'at'>>();
  /** Whether the entry of an end is still to be recorded. */
  const ends = new Map<string, { readonly end: JobEnd; readonly isDue: boolean }>();
  const remember = (end: JobEnd, isDue: boolean): void => {
    asked.delete(end.job);
    ends.set(end.job, { end, isDue });
    const [oldest] = ends.keys();
    if (ends.size > maxEnds && oldest !== undefined) ends.delete(oldest);
  };
  const recordEnd = (end: JobEnd, { who, from, node, action, model_id, selector, target }: Omit<ActivityEntry, 'at'>): void => {
    remember(end, false);
    record({ who, from, node, action, model_id, selector, target, code: end.code, state: 'ended', job: end.job });
  };
  return {
    recorded: (entry) => {
      const { state, job } = entry;
      if (state !== 'accepted' || job === undefined) return;
      const known = ends.get(job);
      if (known === undefined) asked.set(job, asked.get(job) ?? entry);
      else if (known.isDue) recordEnd(known.end, entry);
    },
    ended: async (end) => {
      // The request for a cancellation is an entry already.
      if (end.code === 'CANCELLED') return remember(end, false);
      const earlier = end.createdAt < began ? await find(end.job).catch(() => undefined) : undefined;
      const entry = earlier ?? asked.get(end.job);
      if (entry === undefined) remember(end, true);
      else recordEnd(end, entry);
    },
  };
}
