import { reportedCopy } from './models/reported-copy.ts';
import {
  count,
  countOrZero,
  flag,
  list,
  listOrEmpty,
  modelId,
  nodeId,
  object,
  oneOf,
  orNull,
  type Shape,
  strictObject,
  text,
  textOrEmpty,
  verbatim,
} from './schema.ts';
import { Type } from './type-builder.ts';

/** A node's capability beyond orders for whole models: orders for one quantization. A node without it gets none of them. */
export const quantizationOrders = 'quantizations';
/** The same for orders to stage. */
export const stageOrders = 'stages';
const knows = Type.Optional(
  list(text({ maxLength: 40 }), {
    maxItems: 20,
    description: 'Capabilities beyond the removal of whole models: `quantizations`, `stages`',
  }),
);

/** The maximum number of copies in a node's report; if there are more, the most recently used. */
export const maxReportedCopies = 1000;

/** The maximum time that an order may keep a copy in use, in milliseconds: a year. */
export const maxKeepMs = 366 * 24 * 3600_000;

const bytesOrNull = (description?: string) => orNull(count(), description);

const says = {
  hostname: text({ maxLength: 253, default: '' }),
  version: text({ maxLength: 64, default: '' }),
  agent: flag('Whether it keeps a stream of orders open; otherwise it catches up at its next stage'),
  staged_models: bytesOrNull('Null if not measured'),
  staged_bytes: bytesOrNull(),
  free_bytes: bytesOrNull(),
  knows,
};
/** Fields that older nodes do not have. */
const maySay = {
  copies: orNull(list(reportedCopy, { maxItems: maxReportedCopies }), 'Most recently used first; null if the node does not report it'),
  budget_bytes: bytesOrNull('The disk space that idle copies may use; null when nothing is evicted automatically'),
};

/** A node's report about itself; sizes in bytes. */
export const reportBody = strictObject({
  ...says,
  copies: Type.Optional(maySay.copies),
  budget_bytes: Type.Optional(maySay.budget_bytes),
});
export type ReportBody = Shape<typeof reportBody>;

/** The same with the node's id. */
export const nodeReport = object({ node_id: nodeId(), ...says, ...maySay });
export type NodeReport = Shape<typeof nodeReport>;

/** The saved data of a node. */
export const nodeRecord = object({
  ...nodeReport.properties,
  address: orNull(text(), 'Address of its last report; null for the store host itself'),
  last_seen: textOrEmpty('ISO 8601'),
});
export type NodeRecord = Shape<typeof nodeRecord>;

/** `fleet/nodes.json`. */
export const nodeListFile = object({ nodes: list(nodeRecord) });

/** A node that reported at least once. */
export const knownNode = object(
  {
    ...nodeRecord.properties,
    connected: flag('Whether its stream of orders is open now'),
    pending_orders: countOrZero(),
  },
  { description: 'A known node; sizes in bytes, null if not measured' },
);
export type KnownNode = Shape<typeof knownNode>;

/**
 * `evict`: one model, because it was deleted from the store; `purge`: staged copies are removed, canonical ones stay; `stage`: a copy of one
 * model is made.
 */
export const orderKind = oneOf(['evict', 'purge', 'stage']);
export type OrderKind = Shape<typeof orderKind>;

/** The quantization of an order. */
export const selectorOfOrder = verbatim({
  minLength: 1,
  // An order for one quantization must not become one for the whole model.
  isDecisive: true,
  description: 'Only this quantization; stays pending for nodes that do not support such orders',
});

/** An order of the store for nodes. */
export const order = object({
  order_id: Type.String({ pattern: '^[0-9a-f]{24}$', description: 'Unique across all stores' }),
  seq: countOrZero('Orders are carried out in ascending order of this number'),
  kind: orderKind,
  // An invalid id must not mean every model.
  model_id: Type.Union([modelId(), Type.Null()], { description: 'Null: every model (only for a purge)' }),
  selector: Type.Optional(selectorOfOrder),
  revision: Type.Optional(verbatim({ minLength: 1, isDecisive: true, description: 'Only for a stage: this revision of the model' })),
  keep_ms: Type.Optional(count({ description: 'Only for a stage: how long the copy stays in use after it was made' })),
  force: flag('Also copies in use'),
  given_at: textOrEmpty('ISO 8601'),
});
export type Order = Shape<typeof order>;

/** Whether an order for one model has the model's id. */
export const namesItsModel = ({ kind, model_id, selector }: Pick<Order, 'kind' | 'model_id' | 'selector'>): boolean =>
  model_id !== null || (kind === 'purge' && selector === undefined);

/** The progress of an order to stage on a node; sizes in bytes. */
export const orderProgress = strictObject({
  doing: orNull(text({ maxLength: 40 }), '`staging`, or a step before it such as `downloading`; null while nothing moves'),
  bytes_done: count(),
  bytes_total: count(),
  waits_for: orNull(text({ maxLength: 2000 }), 'What it waits for, as a sentence'),
});
export type OrderProgress = Shape<typeof orderProgress>;

/** Whether the work is still wanted. */
export const orderWanted = object({ wanted: flag('False: the order was withdrawn or replaced, and the node stops') });

const outcomes = ['done', 'deferred', 'failed'] as const;
const bytes_transferred = Type.Optional(count({ description: 'Only for a stage: what was moved to the node' }));

/** The result of an order on a node. */
export const orderOutcome = strictObject({
  status: oneOf(outcomes),
  freed_bytes: count(),
  bytes_transferred,
  reason: orNull(text({ maxLength: 2000 }), 'Who uses the copy, or the error; null when done'),
});
export type OrderOutcome = Shape<typeof orderOutcome>;

/** The state of an order on one node. */
export const nodeOutcome = object({
  node: nodeId(),
  hostname: textOrEmpty(),
  // An unknown status does not count as done.
  status: oneOf(['pending', ...outcomes], { default: 'pending' }),
  freed_bytes: countOrZero(),
  bytes_transferred,
  reason: orNull(
    text({ maxLength: 2000 }),
    'As in the result; for a removal without a result, that the copy was in use at the last report of the node',
  ),
  progress: Type.Optional(orderProgress),
  awaited: Type.Optional(flag('Only for a stage that is not done: whether the node can be reached now')),
});
export type NodeOutcome = Shape<typeof nodeOutcome>;

/** An order and its state on each node that was known when it was given and has not been removed. */
export const givenOrder = object(
  { ...order.properties, nodes: list(nodeOutcome) },
  { description: 'An order and its status on each node' },
);
export type GivenOrder = Shape<typeof givenOrder>;

const nodes = Type.Optional(
  list(text({ maxLength: 64 }), { minItems: 1, maxItems: 1024, description: 'Only these nodes, by id; absent: every node' }),
);

const selector = Type.Optional(orNull(text({ minLength: 1, maxLength: 4096 }), 'Only this quantization of the model'));

const revision = Type.Optional(orNull(text({ minLength: 1, maxLength: 255 }), 'Only for a stage: this revision'));
const keepMs = Type.Optional(
  Type.Integer({ minimum: 1, maximum: maxKeepMs, description: 'Only for a stage: how long the copy stays in use after it was made' }),
);

/** An order to give. */
export const orderBody = strictObject({
  kind: oneOf(['purge', 'stage'], { description: '`purge`: remove staged copies, canonical ones stay; `stage`: make a copy' }),
  model_id: Type.Optional(orNull(text({ maxLength: 200 }), 'Only this model; a stage needs one')),
  selector,
  revision,
  keep_ms: keepMs,
  force: Type.Optional(Type.Boolean({ description: 'Also copies in use' })),
  nodes,
});
export type OrderBody = Shape<typeof orderBody>;

/** Which copies to remove. */
export const purgeBody = strictObject({
  model_id: Type.Optional(orNull(text({ maxLength: 200 }), 'Only this model; null or absent: every model')),
  modelId: Type.Optional(orNull(text({ maxLength: 200 }), 'The same as model_id')),
  selector,
  force: Type.Optional(Type.Boolean()),
  nodes,
});
export type PurgeBody = Shape<typeof purgeBody>;

/** The part of a model that nodes stage, and the nodes. */
export const stageOnBody = strictObject({ selector, revision, keep_ms: keepMs, nodes });
export type StageOnBody = Shape<typeof stageOnBody>;

/** A node's pending orders, oldest first. */
export const ordersToDo = object({ orders: list(order) });
/** A line of an order stream; one without an order is a heartbeat. */
export const orderLine = object({ order: Type.Optional(order) }, { description: 'Lines of JSON: `{"order":…}`, or `{}` as a heartbeat' });

/** The result of deleting one model, or one of its quantizations. */
export const deleted = object({
  modelId: modelId(),
  selector: Type.Optional(verbatim({ description: 'The quantization, by its selector in the store; absent for the whole model' })),
  deleted: Type.Literal(true),
  freed_bytes: countOrZero('On this machine and on the nodes'),
  canonical_bytes: Type.Optional(count({ description: 'The part of it that the canonical copy used' })),
  nodes: listOrEmpty(nodeOutcome, { description: 'The nodes that have or had a copy, or answered' }),
  order: Type.Optional(givenOrder),
});
export type Deleted = Shape<typeof deleted>;

/** The result of a purge. */
export const purged = object({
  order,
  message: textOrEmpty('A summary sentence'),
  freed_bytes: countOrZero(),
  nodes: listOrEmpty(nodeOutcome),
});
export type Purged = Shape<typeof purged>;

/** Orders in the API's list. */
export const orderList = object({ orders: list(givenOrder) });
/** Nodes in the API's list, and the orders that some have not carried out. */
export const nodeList = object({ nodes: list(knownNode), orders: listOrEmpty(givenOrder) });
export type NodeList = Shape<typeof nodeList>;

/** The confirmation that a node was removed. */
export const forgotten = object({ node: nodeId(), forgotten: Type.Literal(true) });
/** The confirmation that a node's result was recorded. */
export const acknowledged = object({ acknowledged: Type.Literal(true) });
