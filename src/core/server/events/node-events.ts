import { explainSystemError } from '../../kernel/explain-system-error.ts';
import { viewConfig, withBudgetNow } from '../../operations/change-config.ts';
import type { Deps } from '../../operations/deps.ts';
import { listStaging, type StagingList } from '../../operations/list-staging.ts';
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
      storage: { restMs: 1_000, read: () => readStorage(deps) },
      staging: { restMs: 300, read: async () => ({ jobs: jobs.list() }) },
      config: { restMs: 300, read: () => viewConfig(deps) },
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

/** Copies that cannot be looked at are told to be so, and not the end of the stream: the settings may be what mends it. */
async function readStorage(deps: Deps): Promise<StagingList & { readonly problem: string | null }> {
  const now = await withBudgetNow(deps);
  try {
    return { ...(await listStaging(now)), problem: null };
  } catch (error) {
    const root = now.config.settings.nodeCachePath.value;
    const explained = explainSystemError(error, `cannot look at ${root}`);
    return {
      staging_root: root,
      models: [],
      total_bytes: 0,
      free_bytes: 0,
      budget_bytes: null,
      in_place: false,
      foreign: [],
      unfinished: [],
      problem: explained instanceof Error ? explained.message : String(explained),
    };
  }
}

const endedOf = (jobs: StagingJobs): string =>
  jobs
    .list()
    .filter(({ status }) => status === 'complete' || status === 'failed')
    .map(({ model_id, updated_at }) => `${model_id} ${updated_at}`)
    .join('\n');
