import { amount, count, list, object, oneOf, orNull, type Shape, text, textOrEmpty, verbatim } from './schema.ts';

/** What a request changed, or was meant to change. */
export const activityAction = oneOf([
  'add',
  'download',
  'cancel-download',
  'delete',
  'purge',
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
]);
export type ActivityAction = Shape<typeof activityAction>;

/** A request that changed something, or failed to. */
export const activityEntry = object({
  at: textOrEmpty('ISO 8601'),
  who: textOrEmpty('`lan`, `key`, `page`, `token`, or `token NAME` of a named token'),
  from: textOrEmpty('Address of the machine that asked'),
  node: orNull(text(), 'Id that the machine gave'),
  action: activityAction,
  model_id: orNull(verbatim(), 'The model; null where it is about none, or about several'),
  selector: orNull(verbatim()),
  target: orNull(text(), 'The node or the token that it is about'),
  code: orNull(text(), 'Code of the failure; null where it succeeded'),
});
export type ActivityEntry = Shape<typeof activityEntry>;

const rates = () => list(orNull(amount()), { description: 'Bytes per second, oldest first; null where nothing was measured' });

/** What was done lately, and how fast bytes moved. */
export const activityView = object({
  since: textOrEmpty('When the server began to take notes, ISO 8601'),
  entries: list(activityEntry, { description: 'Newest first' }),
  step_seconds: count({ description: 'The time that one rate is the mean of' }),
  from_hub: rates(),
  to_nodes: rates(),
});
export type ActivityView = Shape<typeof activityView>;
