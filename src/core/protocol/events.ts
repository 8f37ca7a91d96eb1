import type { TObject } from 'typebox';
import { downloadList } from './downloads.ts';
import { nodeList, orderList } from './fleet.ts';
import { healthView } from './health.ts';
import { countedEntry } from './models/entries.ts';
import { optimizationList } from './optimizations.ts';
import {
  amount,
  count,
  flag,
  list,
  modelId,
  object,
  oneOf,
  orNull,
  type Shape,
  strictObject,
  text,
  textOrEmpty,
  verbatim,
} from './schema.ts';
import { configView } from './settings.ts';
import { stagingJobs, stagingView } from './staging.ts';
import { Type } from './type-builder.ts';
import { uploadList } from './uploads.ts';

/** The events of `/store/events`, by name; each has the complete list. */
export const storeTopics = object({
  registry: object({ entries: list(countedEntry) }),
  downloads: downloadList,
  uploads: uploadList,
  optimizations: optimizationList,
  nodes: nodeList,
  orders: orderList,
  health: healthView,
});
export type StoreTopics = Shape<typeof storeTopics>;

/** The events of `/node/events`, by name. */
export const nodeTopics = object({ storage: stagingView, staging: stagingJobs, config: configView });
export type NodeTopics = Shape<typeof nodeTopics>;

/** The documentation of an event stream: each event has one of these documents, by its name. */
const eventsOf = ({ properties }: TObject) =>
  Type.Object(Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)])), {
    description: 'Server-Sent Events; each carries the document of its name. All are sent at first, then each one when it changes',
  });
export const storeEvents = eventsOf(storeTopics);
export const nodeEvents = eventsOf(nodeTopics);

/** What a request or a command changed, or was meant to change. */
export const activityAction = oneOf([
  'add',
  'download',
  'cancel-download',
  'clear-downloads',
  'delete',
  'purge',
  'evict',
  'verify',
  'stage',
  'cancel-stage',
  'optimize',
  'cancel-optimization',
  'cancel-upload',
  'forget-node',
  'cancel-order',
  'change-settings',
  'change-policy',
  'create-token',
  'revoke-token',
  'restart',
  'promote',
  'undo-promotion',
]);
export type ActivityAction = Shape<typeof activityAction>;

/** A request that changed something, or failed to; or such a command on the store host while no server ran. */
export const activityEntry = object({
  at: textOrEmpty('ISO 8601'),
  who: textOrEmpty(
    '`lan`, `key`, `page`, `token`, `token NAME` of a named token, `user NAME` for a command on the store host, with or without a server; the name only for the role admin and for its owner. `node` for what a machine did by itself',
  ),
  from: textOrEmpty(
    'Address of the machine that asked; empty for a command on the store host, and for a client that is neither that machine nor an admin',
  ),
  node: orNull(text(), 'Id that the machine sent; null under the same conditions'),
  action: activityAction,
  model_id: orNull(verbatim(), 'The model; null if the change concerns none or several'),
  selector: orNull(verbatim()),
  target: orNull(
    text(),
    'The node, token, URL or settings that the change concerns. Settings have their new and old values, but never a secret. Only the role admin and the caller of that request see the name of a token',
  ),
  code: orNull(text(), 'Code of the failure; null if it succeeded or was accepted'),
  state: Type.Optional(
    oneOf(['accepted', 'ended'], {
      description:
        '`accepted` for a request whose download or optimization is not finished; `ended` for its end, in the name of the first client that asked. Also `accepted` for a stage or purge that machines had not finished when it was answered, which has no `ended`. Absent in all other entries; a cancellation is an entry of its own',
    }),
  ),
  job: Type.Optional(
    text({
      description: 'Only for a download or optimization with `state`: the same in all entries about one download or optimization',
    }),
  ),
  freed_bytes: Type.Optional(
    count({ description: 'Bytes that an eviction freed, or that a delete or purge had freed when it was answered; absent if unknown' }),
  ),
  budget_bytes: Type.Optional(count({ description: 'Only for an eviction: the disk space that idle copies may use on that machine' })),
});
export type ActivityEntry = Shape<typeof activityEntry>;

/** The maximum number of copies in one report of evictions. */
export const maxReportedEvictions = 200;

/** The copies that a node removed by itself to stay within its budget; sizes in bytes. */
export const evictionsBody = strictObject({
  evicted: list(strictObject({ model_id: modelId(), selector: orNull(text({ maxLength: 4096 })), freed_bytes: count() }), {
    minItems: 1,
    maxItems: maxReportedEvictions,
  }),
  budget_bytes: count({ description: 'The disk space that idle copies may use on that machine' }),
});
export type EvictionsBody = Shape<typeof evictionsBody>;

/** A part of the log of changes. */
export const auditList = object({
  entries: list(activityEntry, { description: 'Newest first' }),
  more: flag('Whether older entries match too'),
});
export type AuditList = Shape<typeof auditList>;

const rates = () => list(orNull(amount()), { description: 'Bytes per second, oldest first; null where nothing was measured' });

/** What was done lately, and how fast bytes moved. */
export const activityView = object({
  since: textOrEmpty('Time of the oldest entry, ISO 8601; without entries, the start of the server'),
  entries: list(activityEntry, { description: 'The last 500, newest first, including those before a restart' }),
  step_seconds: count({ description: 'The time over which each rate is averaged' }),
  from_hub: rates(),
  to_nodes: rates(),
});
export type ActivityView = Shape<typeof activityView>;
