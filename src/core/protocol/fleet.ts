import { reportedCopy } from './models.ts';
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
const knows = Type.Optional(
  list(text({ maxLength: 40 }), { maxItems: 20, description: 'Capabilities beyond orders for whole models: `quantizations`' }),
);

/** The maximum number of copies in a node's report; if there are more, the most recently used. */
export const maxReportedCopies = 1000;

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
  budget_bytes: bytesOrNull('What idle copies may take together; null when nothing is evicted automatically'),
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

/** `evict`: one model, because it was deleted from the store; `purge`: staged copies are removed, canonical ones stay. */
export const orderKind = oneOf(['evict', 'purge']);
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
  force: flag('Also copies in use'),
  given_at: textOrEmpty('ISO 8601'),
});
export type Order = Shape<typeof order>;

/** Whether an order for one model has the model's id. */
export const namesItsModel = ({ kind, model_id, selector }: Pick<Order, 'kind' | 'model_id' | 'selector'>): boolean =>
  model_id !== null || (kind === 'purge' && selector === undefined);

const outcomes = ['done', 'deferred', 'failed'] as const;

/** The result of an order on a node. */
export const orderOutcome = strictObject({
  status: oneOf(outcomes),
  freed_bytes: count(),
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
  reason: orNull(text({ maxLength: 2000 })),
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

/** An order to give. */
export const orderBody = strictObject({
  kind: Type.Literal('purge', { description: 'Remove staged copies; canonical ones stay' }),
  model_id: Type.Optional(orNull(text({ maxLength: 200 }), 'Only this model')),
  selector,
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

/** A node's pending orders, oldest first. */
export const ordersToDo = object({ orders: list(order) });
/** A line of an order stream; one without an order is a heartbeat. */
export const orderLine = object(
  { order: Type.Optional(order) },
  { description: 'Lines of JSON: `{"order":…}`, or `{}` as a sign of life' },
);

/** The result of deleting one model, or one of its quantizations. */
export const deleted = object({
  modelId: modelId(),
  selector: Type.Optional(verbatim({ description: 'The quantization, by its selector in the store; absent for the whole model' })),
  deleted: Type.Literal(true),
  freed_bytes: countOrZero('On this machine and on the nodes'),
  canonical_bytes: Type.Optional(count({ description: 'The part of it that was in the canonical copy' })),
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
