import type { Deps } from '../../connect/deps.ts';
import { pause } from '../../kernel/flow/backoff.ts';
import type { Follow } from '../../kernel/flow/follow.ts';
import { watchCopies } from '../../node/watch-copies.ts';
import type { StagingView } from '../../protocol/staging.ts';
import { viewStaging } from '../nodes/view-staging.ts';

/** How often copies are read again, for their last uses and the disk space; in milliseconds. */
const pollEveryMs = 2_000;
/** The minimum time between two reads, in milliseconds. */
const restMs = 300;

/** Reports this node's copies and their changes. */
export const followStaging =
  (deps: Deps): Follow<StagingView> =>
  async (report, signal) => {
    let before = '';
    let changed = new AbortController();
    const ignoreChanges = watchCopies(deps, () => changed.abort());
    try {
      while (!signal.aborted) {
        changed = new AbortController();
        const view = await viewStaging(deps);
        const now = JSON.stringify(view);
        if (now !== before && !signal.aborted) report(view);
        before = now;
        await pause(restMs, signal);
        await pause(pollEveryMs - restMs, AbortSignal.any([signal, changed.signal])).catch(() => undefined);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ignoreChanges();
    }
  };
