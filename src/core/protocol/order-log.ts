import { order, orderOutcome } from './fleet.ts';
import { count, nodeId, object, type Shape, text, wholeList } from './schema.ts';
import { Type } from './type-builder.ts';

const orderId = order.properties.order_id;

/** A saved order: nodes act on each of its fields, so none has a default. */
const keptOrder = object({ ...order.properties, seq: count(), force: Type.Boolean(), given_at: text() });

/** A line of `fleet/orders.ndjson` (docs/on-disk-format.md). The first schema whose fields a line has is its kind. */
export const logEntry = Type.Union([
  object({
    order: keptOrder,
    nodes: wholeList(nodeId()),
    prepared: Type.Optional(Type.Literal(true, { description: 'Takes effect when committed; the model is removed in between' })),
  }),
  object({ ack: orderId, node: nodeId(), outcome: orderOutcome }),
  object({ commit: orderId }),
  object({ drop: orderId }),
  object({ forget: nodeId() }),
  object({ next: count({ description: 'Number of the next order, after the log was rewritten' }) }),
]);
export type LogEntry = Shape<typeof logEntry>;
