import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { listDownloads } from '../../operations/models/downloads.ts';
import { listRegistry } from '../../operations/models/list-registry.ts';
import { listOptimizations } from '../../operations/models/optimize.ts';
import { listUploads } from '../../operations/models/uploads.ts';
import { listNodes, listOrders } from '../../operations/nodes/nodes.ts';
import type { DescribedEntry } from '../../protocol/models/entries.ts';
import { healthOf } from '../routes/health-of.ts';
import { createFeed, type Feed } from './feed.ts';

/** The topics of a store; each is a complete list. */
export type StoreTopic = 'registry' | 'downloads' | 'uploads' | 'optimizations' | 'nodes' | 'orders' | 'health';

/** How many finished jobs are reported, the last ones. */
const maxEnded = 20;
/** How often everything is read: for changes by other processes, and the disk space; in milliseconds. */
const pollEveryMs = 10_000;
/**
 * The same if reading is cheap, because it is a single file, or if the store sends no notifications: behind the Python program's
 * protocol.
 */
const lookOftenMs = 2_000;

const topicsOf = {
  models: ['registry', 'health'],
  downloads: ['downloads'],
  optimizations: ['optimizations'],
  uploads: ['uploads'],
  fleet: ['nodes', 'orders'],
} as const;

/** Everything of a store that a page or a terminal shows, with all changes. */
export function createStoreFeed(deps: Deps): Feed<StoreTopic> {
  return createFeed<StoreTopic>({
    topics: {
      registry: {
        restMs: 250,
        pollEveryMs: lookOftenMs,
        read: async () => ({ entries: (await listRegistry(deps, { tags: [] })).entries.map(withoutNames) }),
      },
      downloads: { restMs: 400, read: async () => ({ downloads: recent((await listDownloads(deps, { recent: true })).downloads) }) },
      uploads: { restMs: 1_000, read: () => listUploads(deps).catch(orNothing({ uploads: [] })) },
      optimizations: {
        restMs: 400,
        read: async () => ({
          optimizations: recent((await listOptimizations(deps, { recent: true }).catch(orNothing({ optimizations: [] }))).optimizations),
        }),
      },
      nodes: { restMs: 1_000, read: () => listNodes(deps).catch(orNothing({ nodes: [] })) },
      orders: { restMs: 400, read: () => listOrders(deps).catch(orNothing({ orders: [] })) },
      health: { restMs: 1_000, read: async () => healthOf(deps) },
    },
    onChange: (changed) => deps.changes?.onChange((what) => topicsOf[what].forEach(changed)) ?? (() => {}),
    pollEveryMs: deps.changes === undefined ? lookOftenMs : pollEveryMs,
  });
}

/** A model may have 50,000 files, so a list that is sent repeatedly only has their number. */
const withoutNames = ({ files, ...entry }: DescribedEntry): object => ({ ...entry, file_count: files.length });

/** Running and waiting jobs, and the last finished ones. */
function recent<Job extends { readonly status: string; readonly updated_at: string }>(jobs: readonly Job[]): readonly Job[] {
  const isRunning = ({ status }: Job): boolean => status !== 'complete' && status !== 'failed';
  const ended = jobs.filter((one) => !isRunning(one)).toSorted((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
  return [...jobs.filter(isRunning), ...ended.slice(0, maxEnded)];
}

/** The Python program has no uploads, nodes or orders. Other errors show up in the other topics. */
const orNothing =
  <T>(nothing: T) =>
  (error: unknown): T => {
    if (error instanceof SkulkError) return nothing;
    throw error;
  };
