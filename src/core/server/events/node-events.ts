import type { Deps } from '../../connect/deps.ts';
import { watchCopies } from '../../node/watch-copies.ts';
import { lookAtStaging } from '../../operations/nodes/look-at-staging.ts';
import { viewConfig } from '../../operations/settings/change-config.ts';
import type { StagingJobs } from '../../operations/stage/staging-jobs.ts';
import { createFeed, type Feed } from './feed.ts';

/** What is told of this very node; each is its whole list. */
export type NodeTopic = 'storage' | 'staging' | 'config';

/** How often everything is looked at again, as last uses. */
const lookEveryMs = 10_000;
/** The same of the configuration, which somebody may edit and then look at the page. */
const lookAtConfigEveryMs = 2_000;

/** This node's copies, what it stages, and its configuration, as they change. */
export function createNodeFeed(deps: Deps, { jobs, onConfig }: { jobs: StagingJobs; onConfig: StagingJobs['onChange'] }): Feed<NodeTopic> {
  return createFeed<NodeTopic>({
    topics: {
      // Copies that cannot be looked at are told to be so, and not the end of the stream: the settings may be what mends it.
      storage: { restMs: 1_000, read: () => lookAtStaging(deps) },
      staging: { restMs: 300, read: async () => ({ jobs: jobs.list() }) },
      config: { restMs: 300, lookEveryMs: lookAtConfigEveryMs, read: () => viewConfig(deps) },
    },
    onChange: (changed) => {
      let ended = endedOf(jobs);
      const ends = [
        watchCopies(deps, () => changed('storage')),
        jobs.onChange(() => {
          changed('staging');
          // A look at all copies takes a while, and until it has ended a stage changes none.
          if (endedOf(jobs) !== ended) changed('storage');
          ended = endedOf(jobs);
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

const endedOf = (jobs: StagingJobs): string =>
  jobs
    .list()
    .filter(({ status }) => status === 'complete' || status === 'failed')
    .map(({ model_id, updated_at }) => `${model_id} ${updated_at}`)
    .join('\n');
