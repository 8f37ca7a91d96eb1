import type { Follow } from '../../core/kernel/flow/follow.ts';
import type { DashboardActs } from '../../core/operations/live/acts.ts';
import type { DashboardView } from '../../core/operations/live/open-dashboard.ts';
import { Dashboard } from './dashboard/dashboard.tsx';
import { createLive } from './parts/live.ts';
import { type Canvas, showScreen } from './screen/show-screen.tsx';

/** The data and actions of a dashboard. It is closed when the user leaves the dashboard. */
export interface DashboardSource extends AsyncDisposable {
  readonly follow: Follow<DashboardView>;
  readonly acts: DashboardActs;
  readonly now: () => Date;
}

const nothingKnown: DashboardView = {
  store: null,
  staging: null,
  digests: new Map(),
  jobs: [],
  node: { hostname: '', node_id: null },
  notice: null,
};

/** Shows the dashboard until the user leaves it; throws the error that ends it. */
export async function showDashboard(given: DashboardSource, canvas: Canvas): Promise<void> {
  await using source = given;
  const live = createLive(nothingKnown);
  const over = new AbortController();
  const signal = AbortSignal.any([canvas.signal, over.signal]);
  const following = source.follow(live.set, signal).catch((error: unknown) => {
    if (!signal.aborted) over.abort(error);
  });
  try {
    await showScreen<void>(
      (leave) => <Dashboard live={live} acts={source.acts} clock={source.now} onLeave={() => leave()} />,
      { ...canvas, signal },
      { isFull: true, atInterrupt: undefined },
    );
  } finally {
    over.abort();
    await following;
  }
}
