import { choice, defineCommand, flag, number, type TextBlock, value } from '../cli/definition.ts';
import { SkulkError } from '../core/kernel/errors.ts';
import { formatBytes, parseDuration } from '../core/kernel/units.ts';
import { activityActions, objectOfActivity, resultOfActivity } from '../core/protocol/describe/activity.ts';
import type { ActivityEntry } from '../core/protocol/events.ts';

const usualLimit = 100;

/** A time before now in milliseconds, or a day. */
const parseSince = (text: string): number | Date => {
  const day = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?$/.test(text)
    ? new Date(text.includes('T') ? text : `${text}T00:00:00`)
    : undefined;
  if (day !== undefined && !Number.isNaN(day.getTime())) return day;
  try {
    return parseDuration(text);
  } catch {
    throw new SkulkError('USAGE', `"${text}" is neither a duration nor a day`, { hint: 'use e.g. 12h, 7d or 2026-06-15' });
  }
};

/** `skulk audit`: the log of changes of the store. */
export const audit = defineCommand({
  name: 'audit',
  summary: 'list the changes of the store, newest first',
  description: [
    'Lists who changed what: models that were added, downloaded, deleted or repaired, staged copies, tokens, the policy and settings, with the result and the freed space. Failed requests are listed too, and copies that a machine evicted to stay within its budget.',
    'A download or an optimization has two entries: `accepted` when it is requested, and its result when it ends. The second one names the user who requested it first. If it is cancelled, the cancellation is the second entry. A purge or a stage on other machines is also `accepted`, unless all of them had finished when the store answered; `skulk nodes` lists pending orders.',
    'The log contains requests to the server, and commands on the store host that change the disk directly: `policy set`, `token`, and all others while no server runs. A command of the user who runs the server is listed under that user, e.g. `root on the store host`. An admin who uses the page, or the token of the configuration, is listed as `admin on` an address or a host name. Settings and the policy are listed with their new and old values, but without secrets. The log keeps about 30,000 changes.',
    'On the store host this works without a running server. On other machines the command asks the store. Only the role admin sees the names of all tokens, users and machines; others see only their own.',
    'NAME is a token, a user, an address, or the id or hostname of a machine.',
  ],
  options: {
    since: value('only changes within this time, e.g. 7d, or since this day, e.g. 2026-06-15', 'TIME', { parse: parseSince }),
    failed: flag('only what failed'),
    kind: choice('only this kind of change', 'KIND', activityActions),
    who: value('only what this user, token or machine did', 'NAME'),
    limit: number(`at most this many changes (${usualLimit})`, 'N', { from: 1, to: 10_000 }),
  },
  examples: [
    ['list the last changes', 'skulk audit'],
    ['list what was deleted in a week', 'skulk audit --since 7d --kind delete'],
    ['list what failed for one user', 'skulk audit --failed --who anna'],
    ['count changes by user', "skulk audit --json --limit 10000 | jq -r '.entries[].who' | sort | uniq -c"],
  ],
  exits: ['not-found', 'store-unreachable'],
  run: async ({ since, failed, kind, who, limit = usualLimit }, context) => {
    const deps = await context.deps();
    const { listAudit } = await import('../core/operations/store/list-audit.ts');
    const from = typeof since === 'number' ? new Date(context.world.now().getTime() - since) : since;
    return listAudit(deps, { since: (from as Date | undefined)?.toISOString(), failed, kind, who, limit });
  },
  text: ({ list: { entries }, askers }) => tableOf(entries, askers),
  json: ({ list }) => list,
  notice: ({ list: { entries, more } }) =>
    entries.length === 0 ? 'no such changes' : more ? 'there are older ones; --limit shows more' : undefined,
});

const tableOf = (entries: readonly ActivityEntry[], askers: readonly string[]): readonly TextBlock[] => {
  const isFreed = entries.some(({ freed_bytes = 0 }) => freed_bytes > 0);
  return entries.length === 0
    ? []
    : [
        {
          header: ['WHEN', 'WHO', 'FROM', 'KIND', 'WHAT', 'RESULT', ...(isFreed ? ['FREED'] : [])],
          rows: entries.map((entry, index) => [
            { time: entry.at },
            { text: askers[index] ?? '', short: (askers[index] ?? '').replace(/ on the store host$/, ' (host)') },
            entry.from,
            entry.action,
            entry.model_id === null ? objectOfActivity(entry) : `${entry.model_id}${entry.selector === null ? '' : `:${entry.selector}`}`,
            resultOfActivity(entry),
            ...(isFreed ? [entry.freed_bytes === undefined ? '' : formatBytes(entry.freed_bytes)] : []),
          ]),
          isWhole: [0, 3, 5, 6],
          optional: [2, 6],
          cutMiddle: [4],
          under: 4,
        },
      ];
};
