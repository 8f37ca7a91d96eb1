import { useEffect, useRef } from 'react';
import type { DashboardView } from '../../../core/operations/live/open-dashboard.ts';
import type { StagingJob } from '../../../core/protocol/staging.ts';
import type { Message } from './context.ts';

/** Shows a message when a staging started here has ended by itself, and the dashboard's other notices. */
export function useJobNews({ jobs, notice }: DashboardView, say: (message: Message) => void): void {
  const before = useRef<readonly StagingJob[]>([]);
  useEffect(() => {
    for (const job of jobs) {
      const earlier = before.current.find(({ model_id }) => model_id === job.model_id);
      if (earlier === undefined || earlier.status === job.status) continue;
      if (job.status === 'complete') say({ text: `staged ${job.model_id}: ${job.path ?? ''}`, tone: 'good' });
      // The key that cancels a stage has its own message, which may come before this one.
      if (job.status === 'failed' && job.error_code !== 'CANCELLED')
        say({ text: `could not stage ${job.model_id}: ${job.error ?? 'failed'}`, hint: job.hint ?? undefined, tone: 'bad' });
    }
    before.current = jobs;
  }, [jobs, say]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: its number says that it is another one
  useEffect(() => {
    if (notice !== null) say({ text: notice.message, tone: 'warn' });
  }, [notice?.number]);
}
