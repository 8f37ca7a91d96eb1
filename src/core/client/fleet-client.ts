import type { Fleet } from '../fleet/contract.ts';
import { decode } from '../protocol/decode.ts';
import { deleted, type GivenOrder, givenOrder, knownNode, namesItsModel, type Order, orderLine, ordersToDo } from '../protocol/fleet.ts';
import { callOf } from '../protocol/routes/call.ts';
import { list } from '../protocol/schema.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson, readLines } from './http/read-body.ts';

const maxBytes = 4 * 1024 * 1024;
/** A stream shows every five seconds that it lives. */
const streamSilenceMs = 20_000;
/** A node that wants to stage does not wait long for a store that is busy with other things. */
const reportSilenceMs = 2_000;
const removeSilenceMs = 60_000;

/** The nodes and orders of a store behind HTTP. */
export function createFleetClient(exchange: Exchange): Fleet {
  const { url } = exchange;
  const send = (call: Call): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit: maxBytes, watchdog }));
  return {
    report: async ({ node_id, ...json }, { signal } = {}) => {
      const answer = await send({ ...callOf('POST /nodes/:node', { node: node_id }), json, signal, silenceMs: reportSilenceMs });
      const { orders } = readAnswer(ordersToDo, answer, { url, why: 'it does not say what it asks of this node' });
      return orders.filter(namesItsModel);
    },
    expects: async () => true,
    orders: (nodeId, signal) =>
      exchange.stream<Order | undefined>(
        { ...callOf('GET /nodes/:node/orders', { node: nodeId }), signal, silenceMs: streamSilenceMs },
        async function* (response, watchdog) {
          for await (const line of readLines(response, { url, limit: maxBytes, watchdog })) {
            const { order } = decode(orderLine, line) ?? {};
            yield order !== undefined && namesItsModel(order) ? order : undefined;
          }
        },
      ),
    acknowledge: async (nodeId, orderId, outcome) =>
      void (await send({ ...callOf('POST /nodes/:node/orders/:order', { node: nodeId, order: orderId }), json: outcome })),
    give: async (request) => givenOf(await send({ ...callOf('POST /orders', {}), json: request }), url),
    remove: async (modelId, { force }) => {
      const call = callOf('DELETE /models/:id', { id: modelId }, { wait_ms: 0, force });
      const answer = await send({ ...call, silenceMs: removeSilenceMs });
      const { order: given, ...removed } = readAnswer(deleted, answer, { url, why: 'it does not say whether it deleted the model' });
      const freedBytes = removed.canonical_bytes ?? removed.freed_bytes;
      // An older store gives no orders.
      if (given === undefined) return { freedBytes, order: nobody(modelId) };
      // The answer names only the nodes that held the model, but all are asked.
      const whole = await send(callOf('GET /orders/:order', { order: given.order_id }, { wait_ms: 0 })).then(
        (one) => givenOf(one, url),
        () => given,
      );
      return { freedBytes, order: whole };
    },
    outcome: async (orderId, { waitMs, signal }) =>
      givenOf(
        await send({
          ...callOf('GET /orders/:order', { order: orderId }, { wait_ms: Math.round(waitMs) }),
          signal,
          silenceMs: waitMs + reportSilenceMs + 8_000,
        }),
        url,
      ),
    pendingOrders: async () => {
      const answer = await send(callOf('GET /orders', {}));
      return readAnswer(list(givenOrder), answer, { url, why: 'its orders are not a list' });
    },
    nodes: async () => {
      const answer = await send(callOf('GET /nodes', {}));
      return readAnswer(list(knownNode), answer, { url, why: 'its nodes are not a list' });
    },
    forget: async (nodeId) => void (await send(callOf('DELETE /nodes/:node', { node: nodeId }))),
  };
}

/** The order of a store that gives none. */
const nobody = (modelId: GivenOrder['model_id']): GivenOrder => ({
  order_id: '',
  seq: 0,
  kind: 'evict',
  model_id: modelId,
  force: false,
  given_at: '',
  nodes: [],
});

const whyNotGiven = 'it does not say how the order stands';

/** How an order stands. Throws STORE_UNREACHABLE for one that cannot be. */
const givenOf = (value: unknown, url: string): GivenOrder => readAnswer(givenOrder, value, { url, why: whyNotGiven });
