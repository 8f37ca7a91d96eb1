import type { NodeRecord, NodeReport } from '../protocol/fleet.ts';

/** When a node was last seen is written down only so often, in milliseconds. */
const seenEveryMs = 60_000;

/** What is known of a node after it reported. What the report does not say stays as it was. Pure. */
export function merge(before: NodeRecord | undefined, report: NodeReport, address: string | null, now: Date): NodeRecord {
  return {
    ...report,
    staged_models: report.staged_models ?? before?.staged_models ?? null,
    staged_bytes: report.staged_bytes ?? before?.staged_bytes ?? null,
    free_bytes: report.free_bytes ?? before?.free_bytes ?? null,
    // Who looked and does not tell is another version than before.
    ...(report.staged_models === null && before !== undefined
      ? { copies: before.copies, budget_bytes: before.budget_bytes }
      : { copies: report.copies, budget_bytes: report.budget_bytes }),
    // Who has an agent keeps it when another command of that machine reports.
    agent: report.agent || before?.agent === true,
    address,
    last_seen: now.toISOString(),
  };
}

/** Whether it is worth a write. What changes all the time is written down with the rest. */
export function isNews(before: NodeRecord | undefined, record: NodeRecord): boolean {
  if (before === undefined) return true;
  const lasting = ({ last_seen: _, free_bytes: __, copies, ...rest }: NodeRecord): string =>
    JSON.stringify({ ...rest, copies: copies?.map(({ last_used: ___, ...copy }) => copy) });
  return Date.parse(record.last_seen) - Date.parse(before.last_seen) > seenEveryMs || lasting(before) !== lasting(record);
}
