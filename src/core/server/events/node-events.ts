import type { Deps } from '../../connect/deps.ts';
import { watchCopies } from '../../node/watch-copies.ts';
import { viewStaging } from '../../operations/nodes/view-staging.ts';
import { viewConfig } from '../../operations/settings/view-config.ts';
import type { StagingJobs } from '../../operations/stage/staging-jobs.ts';
import { createFeed, type Feed } from './feed.ts';

/** The topics of this node; each is a complete list. */
export type NodeTopic = 'storage' | 'staging' | 'config';

/** How often everything is read, e.g. for last uses; in milliseconds. */
const pollEveryMs = 10_000;
/** The same for the configuration, because the user may edit the file and then look at the page. */
const pollConfigEveryMs = 2_000;

/** Calls the listener when the configuration was changed here. The returned function removes it. */
export type OnConfig = (listener: () => void) => () => void;

/** This node's copies, its stagings, and its configuration, with all changes. */
export function createNodeFeed(
  deps: Deps,
  { jobs, onConfig }: { readonly jobs: StagingJobs; readonly onConfig: OnConfig },
): Feed<NodeTopic> {
  return createFeed<NodeTopic>({
    topics: {
      // Unreadable copies are reported and do not end the stream: changing the settings may fix the problem.
      storage: { restMs: 1_000, read: () => viewStaging(deps) },
      staging: { restMs: 300, read: async () => ({ jobs: jobs.list() }) },
      config: { restMs: 300, pollEveryMs: pollConfigEveryMs, read: () => viewConfig(deps) },
    },
    onChange: (changed) => {
      const ends = [
        watchCopies(deps, () => changed('storage')),
        jobs.subscribe(({ hasEnded }) => {
          changed('staging');
          // Reading all copies takes a while, and a stage changes none before it has ended.
          if (hasEnded) changed('storage');
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
    pollEveryMs,
  });
}
