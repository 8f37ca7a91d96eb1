import type { Deps } from '../../connect/deps.ts';
import { watchCopies } from '../../node/watch-copies.ts';
import { lookAtStaging } from '../../operations/nodes/look-at-staging.ts';
import { viewConfig } from '../../operations/settings/view-config.ts';
import type { StagingJobs } from '../../operations/stage/staging-jobs.ts';
import { createFeed, type Feed } from './feed.ts';

/** What is told of this very node; each is its whole list. */
export type NodeTopic = 'storage' | 'staging' | 'config';

/** How often everything is looked at again, as last uses. */
const lookEveryMs = 10_000;
/** The same of the configuration, which somebody may edit and then look at the page. */
const lookAtConfigEveryMs = 2_000;

/** Calls back when the configuration was changed here; the returned function ends that. */
export type OnConfig = (listener: () => void) => () => void;

/** This node's copies, what it stages, and its configuration, as they change. */
export function createNodeFeed(
  deps: Deps,
  { jobs, onConfig }: { readonly jobs: StagingJobs; readonly onConfig: OnConfig },
): Feed<NodeTopic> {
  return createFeed<NodeTopic>({
    topics: {
      // Copies that cannot be looked at are told to be so, and not the end of the stream: the settings may be what mends it.
      storage: { restMs: 1_000, read: () => lookAtStaging(deps) },
      staging: { restMs: 300, read: async () => ({ jobs: jobs.list() }) },
      config: { restMs: 300, lookEveryMs: lookAtConfigEveryMs, read: () => viewConfig(deps) },
    },
    onChange: (changed) => {
      const ends = [
        watchCopies(deps, () => changed('storage')),
        jobs.subscribe(({ hasEnded }) => {
          changed('staging');
          // A look at all copies takes a while, and until it has ended a stage changes none.
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
    lookEveryMs,
  });
}
