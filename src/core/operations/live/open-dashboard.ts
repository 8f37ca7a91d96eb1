import type { Deps } from '../../connect/deps.ts';
import type { SkulkEvent } from '../../kernel/flow/events.ts';
import type { Follow } from '../../kernel/flow/follow.ts';
import { throttle } from '../../kernel/flow/throttle.ts';
import { type NodeId, readNodeId } from '../../kernel/machine/node-id.ts';
import type { World } from '../../kernel/world.ts';
import type { StagingJob, StagingView } from '../../protocol/staging.ts';
import { createStagingJobs, type StagingJobs } from '../stage/staging-jobs.ts';
import { createActs, type DashboardActs } from './acts.ts';
import { followStaging } from './follow-staging.ts';
import { followStore, pinStore, type StoreView } from './follow-store.ts';
import { createDigestReader, type DigestsOfStore } from './read-digests.ts';

/** All data that the dashboard shows. */
export interface DashboardView {
  /** Null while it is unknown. */
  readonly store: StoreView | null;
  /** This machine's copies; null until they are read. */
  readonly staging: StagingView | null;
  /** The digests of the models that are staged somewhere, as far as they are known. */
  readonly digests: DigestsOfStore;
  /** Stagings that the user started here. */
  readonly jobs: readonly StagingJob[];
  /** This machine; the id is null until it has one. */
  readonly node: { readonly hostname: string; readonly node_id: NodeId | null };
  /** The last message for the user, with a sequence number. */
  readonly notice: { readonly number: number; readonly message: string } | null;
}

/** A view of the store and this machine, with actions. */
export interface Dashboard extends AsyncDisposable {
  readonly follow: Follow<DashboardView>;
  readonly acts: DashboardActs;
  readonly now: () => Date;
}

/** The minimum time between two updates, in milliseconds. */
const restMs = 100;

/**
 * Opens only the connection to the store. Stagings started here end with the dashboard, and resume the next time.
 * @throws SkulkError STORE_NOT_CONFIGURED, CONFIG
 */
export async function openDashboard(given: Deps): Promise<Dashboard> {
  const closing = new AbortController();
  let notice: DashboardView['notice'] = null;
  let onNotice = (): void => {};
  const emit = (event: SkulkEvent): void => {
    if (event.type !== 'warning' && event.type !== 'waiting') return;
    notice = { number: (notice?.number ?? 0) + 1, message: event.message };
    onNotice();
  };
  const world: World = { ...given.world, emit, signal: AbortSignal.any([given.world.signal, closing.signal]) };
  const deps = await pinStore({ ...given, world });
  const jobs = createStagingJobs(world, async () => deps);
  return {
    acts: createActs(deps, jobs),
    now: world.now,
    follow: async (report, signal) => {
      const { hostname } = world;
      const node = { hostname, node_id: await ownId(deps) };
      let view: DashboardView = { store: null, staging: null, digests: new Map(), jobs: [], node, notice };
      using show = throttle(restMs, () => report(view));
      const readDigests = createDigestReader(deps, (digests) => change({ digests }));
      const change = (changes: Partial<DashboardView>): void => {
        view = { ...view, ...changes };
        show();
        readDigests(view);
      };
      onNotice = () => change({ notice });
      await followAll(deps, jobs, change, AbortSignal.any([signal, world.signal]));
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await jobs.close();
    },
  };
}

async function followAll(
  deps: Deps,
  jobs: StagingJobs,
  change: (changes: Partial<DashboardView>) => void,
  signal: AbortSignal,
): Promise<void> {
  const failing = new AbortController();
  const all = AbortSignal.any([signal, failing.signal]);
  const ignoreJobs = jobs.subscribe(() => change({ jobs: jobs.list() }));
  const { hostname } = deps.world;
  try {
    await Promise.all([
      followStore(deps, { isPatient: true })((store) => change({ store }), all),
      followStaging(deps)((staging) => {
        change({ staging });
        // The first staging creates this machine's id.
        void ownId(deps).then((node_id) => change({ node: { hostname, node_id } }));
      }, all),
    ]);
  } finally {
    failing.abort();
    ignoreJobs();
  }
}

const ownId = ({ config, world }: Deps): Promise<NodeId | null> =>
  readNodeId(config.skulkHome, world.env['SKULK_NODE_ID']).then(
    (id) => id ?? null,
    () => null,
  );
