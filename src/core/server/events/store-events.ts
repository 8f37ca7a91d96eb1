import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { listDownloads } from '../../operations/models/downloads.ts';
import { listRegistry } from '../../operations/models/list-registry.ts';
import { listOptimizations } from '../../operations/models/optimize.ts';
import { listUploads } from '../../operations/models/uploads.ts';
import { listNodes, listOrders } from '../../operations/nodes/nodes.ts';
import type { DescribedEntry } from '../../protocol/models.ts';
import { healthOf } from '../routes/health-of.ts';
import { createFeed, type Feed } from './feed.ts';

/** What is told of a store; each is its whole list. */
export type StoreTopic = 'registry' | 'downloads' | 'uploads' | 'optimizations' | 'nodes' | 'orders' | 'health';

/** So many jobs that ended are told, the last ones. */
const maxEnded = 20;
/** How often everything is looked at again: the changes of another process, the room on the disk. */
const lookEveryMs = 10_000;
/** The same where that is cheap, as one file says it, or where the store cannot tell its changes: behind the Python program's protocol. */
const lookOftenMs = 2_000;

const topicsOf = {
  models: ['registry', 'health'],
  downloads: ['downloads'],
  optimizations: ['optimizations'],
  uploads: ['uploads'],
  fleet: ['nodes', 'orders'],
} as const;

/** Everything of a store that a page or a terminal shows, as it changes. */
export function createStoreFeed(deps: Deps): Feed<StoreTopic> {
  return createFeed<StoreTopic>({
    topics: {
      registry: {
        restMs: 250,
        lookEveryMs: lookOftenMs,
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
    lookEveryMs: deps.changes === undefined ? lookOftenMs : lookEveryMs,
  });
}

/** A model may have 50,000 files, so in a list that is told again and again they are only counted. */
const withoutNames = ({ files, ...entry }: DescribedEntry): object => ({ ...entry, file_count: files.length });

/** What runs and waits, and what ended last. */
function recent<Job extends { readonly status: string; readonly updated_at: string }>(jobs: readonly Job[]): readonly Job[] {
  const isRunning = ({ status }: Job): boolean => status !== 'complete' && status !== 'failed';
  const ended = jobs.filter((one) => !isRunning(one)).toSorted((a, b) => (a.updated_at < b.updated_at ? 1 : -1));
  return [...jobs.filter(isRunning), ...ended.slice(0, maxEnded)];
}

/** The Python program knows no uploads, no nodes and no orders. What else is wrong shows in the other topics. */
const orNothing =
  <T>(nothing: T) =>
  (error: unknown): T => {
    if (error instanceof SkulkError) return nothing;
    throw error;
  };
