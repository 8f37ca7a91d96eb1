import type { ActivityAction, ActivityEntry, ActivityView } from '../../protocol/events.ts';

/** So many requests are remembered, the last ones. */
const maxEntries = 500;
/** One rate is the mean of so long. */
const stepMs = 5_000;
/** The rates of an hour. */
const maxRates = 720;

/** What was asked of a server lately, and how fast it moves bytes. It is kept in memory, so it begins with the server. */
export interface Activity {
  record(entry: Omit<ActivityEntry, 'at'>): void;
  /** Counts bytes that were sent to other machines. */
  sent(bytes: number): void;
  view(): ActivityView;
  close(): void;
}

/**
 * @param now milliseconds since 1970
 * @param fromHub bytes per second that the downloads report now
 */
export function createActivity({ now, fromHub }: { readonly now: () => number; readonly fromHub: () => Promise<number> }): Activity {
  const since = new Date(now()).toISOString();
  const entries: ActivityEntry[] = [];
  const rates: { readonly fromHub: number | null; readonly toNodes: number }[] = [];
  let sent = 0;
  let measuredAt = now();
  const measure = async (): Promise<void> => {
    const [bytes, seconds] = [sent, (now() - measuredAt) / 1000];
    sent = 0;
    measuredAt = now();
    const hub = await fromHub().catch(() => null);
    rates.push({ fromHub: hub, toNodes: seconds > 0 ? bytes / seconds : 0 });
    if (rates.length > maxRates) rates.shift();
  };
  const timer = setInterval(() => void measure(), stepMs);
  timer.unref();
  return {
    record: (entry) => {
      entries.unshift({ at: new Date(now()).toISOString(), ...entry });
      entries.length = Math.min(entries.length, maxEntries);
    },
    sent: (bytes) => {
      sent += bytes;
    },
    view: () => ({
      since,
      entries,
      step_seconds: stepMs / 1000,
      from_hub: rates.map((one) => one.fromHub),
      to_nodes: rates.map((one) => one.toNodes),
    }),
    close: () => clearInterval(timer),
  };
}

/** What requests mean, by method and pattern; the first that fits counts. */
const actions: readonly (readonly [pattern: RegExp, action: ActivityAction])[] = [
  [/^POST .*\/download$/, 'download'],
  [/^DELETE .*\/download$/, 'cancel-download'],
  [/^POST .*\/optimize$/, 'optimize'],
  [/^DELETE .*\/optimize$/, 'cancel-optimization'],
  [/^DELETE (?:\/store)?\/models\//, 'delete'],
  [/^POST (?:\/store\/purge-staging|\/orders)$/, 'purge'],
  [/^POST .*\/(?:adopt|complete)$/, 'add'],
  [/^DELETE (?:\/store)?\/uploads\//, 'cancel-upload'],
  [/^DELETE (?:\/store)?\/orders\//, 'cancel-order'],
  [/^DELETE (?:\/store)?\/nodes\//, 'forget-node'],
  [/^POST (?:\/store)?\/verify$/, 'verify'],
  [/^POST (?:\/node|\/store\/models\/.*)\/stage$/, 'stage'],
  [/^DELETE \/node\/stage\//, 'cancel-stage'],
  [/^POST \/node\/restart$/, 'restart'],
  [/^PUT \/config$/, 'change-settings'],
  [/^PUT \/policy$/, 'change-policy'],
  [/^POST \/tokens$/, 'create-token'],
  [/^DELETE \/tokens\//, 'revoke-token'],
];

/** What a request means; undefined for one that no person cares about. Pure. */
export const actionOf = (method: string, pattern: string): ActivityAction | undefined =>
  actions.find(([known]) => known.test(`${method} ${pattern}`))?.[1];
