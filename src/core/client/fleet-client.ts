import type { Fleet } from '../fleet/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { decode } from '../protocol/decode.ts';
import { errorBody } from '../protocol/errors.ts';
import {
  deleted,
  type GivenOrder,
  givenOrder,
  knownNode,
  namesItsModel,
  type Order,
  orderLine,
  ordersToDo,
  orderWanted,
} from '../protocol/fleet.ts';
import { callOf } from '../protocol/routes/call.ts';
import { list } from '../protocol/schema.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson, readLines } from './http/read-body.ts';
import { refuseForOther } from './refuse-for-other.ts';

const maxBytes = 4 * 1024 * 1024;
/** A stream has a heartbeat every five seconds. */
const streamSilenceMs = 20_000;
/** A node that wants to stage does not wait long for a busy store. */
const reportSilenceMs = 2_000;
const removeSilenceMs = 60_000;
/** What the Python program cannot do. */
const giveOrders = 'give orders to nodes';

/** The nodes and orders of a store behind HTTP. */
export function createFleetClient(exchange: Exchange): Fleet {
  const { url } = exchange;
  const send = (call: Call): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit: maxBytes, watchdog }));
  const orRefuse = <T>(what: string, work: () => Promise<T>): Promise<T> => refuseForOther(exchange, what, work);
  return {
    report: async ({ node_id, knows, ...json }, { signal, isPatient = false } = {}) => {
      const call = { ...callOf('POST /nodes/:node', { node: node_id }), signal, silenceMs: reportSilenceMs };
      const work = (): Promise<unknown> =>
        send({ ...call, json: { ...json, knows } }).catch((error: unknown) => {
          // An older store rejects fields that it does not know.
          if (!(error instanceof SkulkError) || error.code !== 'BAD_REQUEST') throw error;
          return send({ ...call, json });
        });
      // A report is part of every stage, which does not ask which program answers.
      const answer = await (isPatient ? orRefuse(giveOrders, work) : work());
      const { orders } = readAnswer(ordersToDo, answer, { url, why: 'it does not list the orders for this node' });
      return orders.filter(namesItsModel);
    },
    expects: async () => true,
    orders: (nodeId, signal, knows = []) =>
      exchange.stream<Order | undefined>(
        {
          ...callOf('GET /nodes/:node/orders', { node: nodeId }, { knows: knows.length > 0 && knows.join(',') }),
          signal,
          silenceMs: streamSilenceMs,
        },
        async function* (response, watchdog) {
          for await (const line of readLines(response, { url, limit: maxBytes, watchdog })) {
            const { order } = decode(orderLine, line) ?? {};
            yield order !== undefined && namesItsModel(order) ? order : undefined;
          }
        },
      ),
    acknowledge: async (nodeId, orderId, outcome) =>
      void (await send({ ...callOf('POST /nodes/:node/orders/:order', { node: nodeId, order: orderId }), json: outcome })),
    progress: async (nodeId, orderId, progress) => {
      const call = { ...callOf('POST /nodes/:node/orders/:order/progress', { node: nodeId, order: orderId }), silenceMs: reportSilenceMs };
      return readAnswer(orderWanted, await send({ ...call, json: progress }), { url, why: 'it does not say whether an order is wanted' })
        .wanted;
    },
    withdraw: async (orderId) => givenOf(await orRefuse(giveOrders, () => send(callOf('DELETE /orders/:order', { order: orderId }))), url),
    give: async (request) => {
      const order = () => send({ ...callOf('POST /orders', {}), json: request });
      const answer = await orRefuse(giveOrders, order).catch((error: unknown) => {
        const isRefused = error instanceof SkulkError && error.code === 'BAD_REQUEST';
        if (isRefused && request.kind === 'stage')
          throw new SkulkError('USAGE', `the store at ${url} cannot ask nodes to stage`, {
            hint: `an older version runs there: ${error.message}`,
          });
        const isUnknown = request.selector !== undefined && isRefused;
        throw isUnknown ? onlyWholeModels(url, { does: 'gives orders for', instead: 'name the whole model' }) : error;
      });
      return givenOf(answer, url);
    },
    remove: async (modelId, { force, selector }) => {
      const query = { wait_ms: 0, force };
      const answer =
        selector === undefined
          ? await send({ ...callOf('DELETE /models/:id', { id: modelId }, query), silenceMs: removeSilenceMs })
          : await removeQuantization(exchange, { modelId, selector, query });
      const { order: given, ...removed } = readAnswer(deleted, answer, { url, why: 'it does not report whether it deleted the model' });
      const freedBytes = removed.canonical_bytes ?? removed.freed_bytes;
      // An older store gives no orders.
      if (given === undefined) return { freedBytes, order: nobody(modelId), selector: removed.selector };
      // The answer only lists the nodes that had the model, but all get the order.
      const whole = await send(callOf('GET /orders/:order', { order: given.order_id }, { wait_ms: 0 })).then(
        (one) => givenOf(one, url),
        () => given,
      );
      return { freedBytes, order: whole, selector: removed.selector };
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
      const answer = await orRefuse(giveOrders, () => send(callOf('GET /orders', {})));
      return readAnswer(list(givenOrder), answer, { url, why: 'its orders are not a list' });
    },
    nodes: async () => {
      const answer = await orRefuse('list nodes', () => send(callOf('GET /nodes', {})));
      return readAnswer(list(knownNode), answer, { url, why: 'its nodes are not a list' });
    },
    forget: async (nodeId) => void (await send(callOf('DELETE /nodes/:node', { node: nodeId }))),
  };
}

/** Requests the removal of one quantization. A store without support for it is never asked to delete the whole model instead. */
function removeQuantization(
  exchange: Exchange,
  { modelId, selector, query }: { modelId: ModelId; selector: string; query: { wait_ms: number; force: boolean } },
): Promise<unknown> {
  const { url } = exchange;
  const call = callOf('DELETE /models/:id/quantizations/:selector', { id: modelId, selector }, query);
  // A 404 without an error code, and a 405, come from a host without this route.
  return exchange.send({ ...call, accept: [200, 404, 405, 501], silenceMs: removeSilenceMs }, async (response, watchdog) => {
    if (response.status === 200) return readJson(response, { url, limit: maxBytes, watchdog });
    const body = await readJson(response, { url, limit: maxBytes, watchdog }).catch(() => undefined);
    const { detail, code, hint } = decode(errorBody, body) ?? {};
    if (response.status === 404 && (code === 'MODEL_NOT_FOUND' || code === 'FILE_NOT_FOUND'))
      throw new SkulkError(code, detail ?? `${modelId} is not in the store`, { hint: hint ?? undefined });
    throw onlyWholeModels(url, { does: 'deletes', instead: `\`skulk delete ${modelId}\` deletes the model with all its quantizations` });
  });
}

const onlyWholeModels = (url: string, { does, instead }: { readonly does: string; readonly instead: string }): SkulkError =>
  new SkulkError('USAGE', `the store at ${url} only ${does} whole models, so nothing was done`, {
    hint: `another program or an older version runs there; ${instead}`,
  });

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

const whyNotGiven = 'it does not report the state of the order';

/** Parses an order's state. Throws STORE_UNREACHABLE for an invalid one. */
const givenOf = (value: unknown, url: string): GivenOrder => readAnswer(givenOrder, value, { url, why: whyNotGiven });
