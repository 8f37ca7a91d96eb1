import type { AuditLog } from '../../access/audit-log.ts';
import { mayActAs } from '../../kernel/role.ts';
import type { ActivityAction, ActivityEntry, ActivityView, AuditList } from '../../protocol/events.ts';
import type { Asker } from './access.ts';
import { createJobEnds, type JobEnds } from './job-ends.ts';

/** So many requests are remembered, the last ones. */
const maxEntries = 500;
/** One rate is the mean of so long. */
const stepMs = 5_000;
/** The rates of an hour. */
const maxRates = 720;

/** What was asked of a server lately, and how fast it moves bytes. The rates begin with the server. */
export interface Activity extends Pick<JobEnds, 'ended'> {
  record(entry: Omit<ActivityEntry, 'at'>): void;
  /** Counts bytes that were sent to other machines. */
  sent(bytes: number): void;
  /** What a client may know, see `entryFor`. */
  view(client: Client): Promise<ActivityView>;
  /**
   * Searches the log.
   * @param isWanted called with entries as that client may see them
   */
  search(client: Client, wanted: { readonly limit: number; readonly isWanted: (entry: ActivityEntry) => boolean }): Promise<AuditList>;
  close(): void;
  /** The user that runs the server. */
  readonly owner: string | undefined;
}

/** Who wants to see the activity. */
interface Client {
  readonly asker: Asker;
  /** The address of the machine. */
  readonly ip: string;
}

/** The options of `createActivity`. */
interface ActivityOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Bytes per second that the downloads report now. */
  readonly fromHub: () => Promise<number>;
  /** Saves the entries, beside those of commands on this machine; if absent, they are lost with the server. */
  readonly log?: Pick<AuditLog, 'append' | 'readLast' | 'search'> | undefined;
  /** See `Activity`. */
  readonly owner?: string | undefined;
}

/** See `Activity`. */
export function createActivity({ now, fromHub, log, owner }: ActivityOptions): Activity {
  const began = new Date(now()).toISOString();
  let entries: readonly ActivityEntry[] = [];
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
  const record: Activity['record'] = (entry) => {
    const dated = { at: new Date(now()).toISOString(), ...entry };
    entries = [dated, ...entries].slice(0, maxEntries);
    log?.append(dated);
    ends.recorded(entry);
  };
  const find = async (job: string): Promise<ActivityEntry | undefined> => {
    const isOfJob = (entry: ActivityEntry): boolean => entry.state === 'accepted' && entry.job === job;
    const found = await log?.search({ limit: maxEntries, pick: (entry) => (isOfJob(entry) ? entry : undefined) });
    return found?.entries.at(-1);
  };
  const ends = createJobEnds({ began, record, find });
  return {
    record,
    ended: ends.ended,
    sent: (bytes) => {
      sent += bytes;
    },
    view: async (client) => {
      // Commands on this machine write to the log too. If it cannot be read, the server's own entries remain.
      const all = (await log?.readLast(maxEntries).catch(() => undefined)) ?? entries;
      return {
        since: all.at(-1)?.at ?? began,
        entries: mayActAs(client.asker.role, 'admin') ? all : all.map((entry) => entryFor(entry, client)),
        step_seconds: stepMs / 1000,
        from_hub: rates.map((one) => one.fromHub),
        to_nodes: rates.map((one) => one.toNodes),
      };
    },
    search: async (client, { limit, isWanted }) => {
      const pick = (entry: ActivityEntry): ActivityEntry | undefined => {
        const seen = mayActAs(client.asker.role, 'admin') ? entry : entryFor(entry, client);
        return isWanted(seen) ? seen : undefined;
      };
      if (log !== undefined) return log.search({ limit, pick });
      const found = entries.flatMap((entry) => pick(entry) ?? []);
      return { entries: found.slice(0, limit), more: found.length > limit };
    },
    close: () => clearInterval(timer),
    owner,
  };
}

/**
 * An entry for a client without the role admin: names of tokens, addresses and machines are those of other people. Its own entries stay
 * whole. Pure.
 */
export function entryFor(entry: ActivityEntry, { asker, ip }: Client): ActivityEntry {
  const isOfMachine = (entry.who === 'lan' || entry.who === 'node') && entry.from === ip;
  const isOwn = asker.credential === 'named' ? entry.who === `token ${asker.name ?? ''}` : isOfMachine;
  if (isOwn) return entry;
  const target = entry.action.endsWith('-token') ? null : entry.target;
  return { ...entry, who: entry.who.replace(/ .*/s, ''), from: '', node: null, target };
}

/** What requests mean, by method and pattern; the first that fits counts. */
const actions: readonly (readonly [pattern: RegExp, action: ActivityAction])[] = [
  [/^POST .*\/download$/, 'download'],
  [/^DELETE .*\/download$/, 'cancel-download'],
  [/^DELETE .*\/downloads$/, 'clear-downloads'],
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
