import type { NodeRecord, NodeReport } from '../protocol/fleet.ts';

/** How often the time of the last report is saved, in milliseconds. */
const seenEveryMs = 60_000;

/** The data of a node after a report. Fields that are missing in the report stay unchanged. Pure. */
export function merge(before: NodeRecord | undefined, report: NodeReport, address: string | null, now: Date): NodeRecord {
  return {
    ...report,
    staged_models: report.staged_models ?? before?.staged_models ?? null,
    staged_bytes: report.staged_bytes ?? before?.staged_bytes ?? null,
    free_bytes: report.free_bytes ?? before?.free_bytes ?? null,
    // A node that reports without this field now runs another version than before.
    ...(report.staged_models === null && before !== undefined
      ? { copies: before.copies, budget_bytes: before.budget_bytes }
      : { copies: report.copies, budget_bytes: report.budget_bytes }),
    // A node with an agent keeps it when another command of that machine reports.
    agent: report.agent || before?.agent === true,
    address,
    last_seen: now.toISOString(),
  };
}

/** Whether a change justifies a write. Values that change all the time are saved together with others. */
export function isNews(before: NodeRecord | undefined, record: NodeRecord): boolean {
  if (before === undefined) return true;
  const lasting = ({ last_seen: _, free_bytes: __, copies, ...rest }: NodeRecord): string =>
    JSON.stringify({ ...rest, copies: copies?.map(({ last_used: ___, ...copy }) => copy) });
  return Date.parse(record.last_seen) - Date.parse(before.last_seen) > seenEveryMs || lasting(before) !== lasting(record);
}
