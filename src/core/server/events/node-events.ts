import { viewConfig, withBudgetNow } from '../../operations/change-config.ts';
import type { Deps } from '../../operations/deps.ts';
import { listStaging } from '../../operations/list-staging.ts';
import type { StagingJobs } from '../../operations/staging-jobs.ts';
import { watchCopies } from '../../operations/watch-copies.ts';
import { createFeed, type Feed } from './feed.ts';

/** What is told of this very node; each is its whole list. */
export type NodeTopic = 'storage' | 'staging' | 'config';

/** How often everything is looked at again: last uses, a file that somebody edited. */
const lookEveryMs = 10_000;

/** This node's copies, what it stages, and its configuration, as they change. */
export function createNodeFeed(deps: Deps, { jobs, onConfig }: { jobs: StagingJobs; onConfig: StagingJobs['onChange'] }): Feed<NodeTopic> {
  return createFeed<NodeTopic>({
    topics: {
      storage: { restMs: 1_000, read: async () => listStaging(await withBudgetNow(deps)) },
      staging: { restMs: 300, read: async () => ({ jobs: jobs.list() }) },
      config: { restMs: 300, read: () => viewConfig(deps) },
    },
    onChange: (changed) => {
      const ends = [
        watchCopies(deps, () => changed('storage')),
        jobs.onChange(() => {
          changed('staging');
          changed('storage');
        }),
        onConfig(() => {
          changed('config');
          changed('storage');
        }),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
    lookEveryMs,
  });
}
