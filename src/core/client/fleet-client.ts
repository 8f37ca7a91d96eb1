import { parseReportedCopies } from '../catalog/reported-copies.ts';
import type { Fleet, GivenOrder, KnownNode, NodeOutcome, Order } from '../fleet/contract.ts';
import { SkulkError } from '../kernel/errors.ts';
import { isNodeId } from '../kernel/machine/node-id.ts';
import { isModelId } from '../kernel/model-id.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { clean, notAStore } from './http/map-failure.ts';
import { modelUrl } from './http/model-url.ts';
import { readJson, readLines } from './http/read-body.ts';

type Fields = Readonly<Record<string, unknown>>;

const mostBytes = 4 * 1024 * 1024;
/** A stream shows every five seconds that it lives. */
const streamSilenceMs = 20_000;
/** A node that wants to stage does not wait long for a store that is busy with other things. */
const reportSilenceMs = 2_000;
const removeSilenceMs = 60_000;

/** The nodes and orders of a store behind HTTP. */
export function createFleetClient(exchange: Exchange): Fleet {
  const { url } = exchange;
  const send = (call: Call): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit: mostBytes, watchdog }));
  const node = (nodeId: string, ...rest: readonly string[]): string => ['/nodes', nodeId, ...rest].join('/');
  return {
    report: async ({ node_id, ...json }, { signal } = {}) => {
      const { orders } = fieldsOf(await send({ method: 'POST', path: node(node_id), json, signal, silenceMs: reportSilenceMs }));
      if (!Array.isArray(orders)) throw notAStore(url, 'it does not say what it asks of this node');
      return orders.map((order: unknown) => checkOrder(order, url));
    },
    expects: async () => true,
    orders: (nodeId, signal) =>
      exchange.stream<Order | undefined>(
        { path: node(nodeId, 'orders'), signal, silenceMs: streamSilenceMs },
        async function* (response, watchdog) {
          for await (const line of readLines(response, { url, limit: mostBytes, watchdog })) {
            const { order } = fieldsOf(line);
            yield order === undefined ? undefined : checkOrder(order, url);
          }
        },
      ),
    acknowledge: async (nodeId, orderId, outcome) =>
      void (await send({ method: 'POST', path: node(nodeId, 'orders', orderId), json: outcome })),
    give: async (request) => checkGiven(await send({ method: 'POST', path: '/orders', json: request }), url),
    remove: async (modelId, { force }) => {
      const path = `${modelUrl(modelId)}?wait_ms=0${force ? '&force=true' : ''}`;
      const answer = fieldsOf(await send({ method: 'DELETE', path, silenceMs: removeSilenceMs }));
      if (answer['deleted'] !== true) throw notAStore(url, 'it does not say whether it deleted the model');
      const freedBytes = bytesOf(answer['canonical_bytes'] ?? answer['freed_bytes']);
      const order = answer['order'];
      // The Python program gives no orders.
      if (order === undefined) return { freedBytes, order: nobody(modelId) };
      const given = checkGiven(order, url);
      // The answer names only the nodes that held the model, but all are asked.
      const whole = await send({ path: `/orders/${given.order_id}?wait_ms=0` }).then(
        (one) => checkGiven(one, url),
        () => given,
      );
      return { freedBytes, order: whole };
    },
    outcome: async (orderId, { waitMs, signal }) =>
      checkGiven(
        await send({ path: `/orders/${orderId}?wait_ms=${Math.round(waitMs)}`, signal, silenceMs: waitMs + reportSilenceMs + 8_000 }),
        url,
      ),
    pendingOrders: async () => {
      const answer = await send({ path: '/orders' });
      if (!Array.isArray(answer)) throw notAStore(url, 'its orders are not a list');
      return answer.map((one: unknown) => checkGiven(one, url));
    },
    nodes: async () => {
      const answer = await send({ path: '/nodes' });
      return checkNodes(answer, url);
    },
    forget: async (nodeId) => void (await send({ method: 'DELETE', path: node(nodeId) })),
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

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const textOf = (value: unknown): string => (typeof value === 'string' ? clean(value) : '');
const bytesOf = (value: unknown): number => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0);
const bytesOrNull = (value: unknown): number | null => (Number.isSafeInteger(value) ? bytesOf(value) : null);

function checkOrder(value: unknown, url: string): Order {
  const { order_id, seq, kind, model_id, force, given_at } = fieldsOf(value);
  const isGood =
    typeof order_id === 'string' &&
    /^[0-9a-f]{24}$/.test(order_id) &&
    (kind === 'evict' || kind === 'purge') &&
    (typeof model_id === 'string' ? isModelId(model_id) : model_id === null && kind === 'purge');
  if (!isGood)
    throw new SkulkError('STORE_UNREACHABLE', `the store at ${url} gives an order that is none`, { hint: 'is it a newer skulk?' });
  return {
    order_id,
    seq: bytesOf(seq),
    kind,
    model_id: typeof model_id === 'string' && isModelId(model_id) ? model_id : null,
    force: force === true,
    given_at: textOf(given_at),
  };
}

/** How an order stands. Throws STORE_UNREACHABLE for one that cannot be. */
export function checkGiven(value: unknown, url: string): GivenOrder {
  const { nodes } = fieldsOf(value);
  if (!Array.isArray(nodes)) throw notAStore(url, 'it does not say how the order stands');
  return { ...checkOrder(value, url), nodes: nodes.flatMap((one: unknown) => checkOutcome(fieldsOf(one))) };
}

const statuses = ['pending', 'done', 'deferred', 'failed'] as const;

function checkOutcome({ node, hostname, status, freed_bytes, reason }: Fields): readonly NodeOutcome[] {
  if (!isNodeId(node)) return [];
  return [
    {
      node,
      hostname: textOf(hostname),
      // What cannot be understood is not called done.
      status: statuses.find((known) => known === status) ?? 'pending',
      freed_bytes: bytesOf(freed_bytes),
      reason: typeof reason === 'string' ? clean(reason) : null,
    },
  ];
}

/** A store's nodes. What cannot be one is left out. Throws STORE_UNREACHABLE when they are no list. */
export function checkNodes(value: unknown, url: string): readonly KnownNode[] {
  if (!Array.isArray(value)) throw notAStore(url, 'its nodes are not a list');
  return value.flatMap((one: unknown) => checkNode(fieldsOf(one)));
}

function checkNode(fields: Fields): readonly KnownNode[] {
  const { node_id, address } = fields;
  if (!isNodeId(node_id)) return [];
  return [
    {
      node_id,
      hostname: textOf(fields['hostname']),
      version: textOf(fields['version']),
      agent: fields['agent'] === true,
      address: typeof address === 'string' ? clean(address) : null,
      last_seen: textOf(fields['last_seen']),
      connected: fields['connected'] === true,
      pending_orders: bytesOf(fields['pending_orders']),
      staged_models: bytesOrNull(fields['staged_models']),
      staged_bytes: bytesOrNull(fields['staged_bytes']),
      free_bytes: bytesOrNull(fields['free_bytes']),
      copies: parseReportedCopies(fields['copies']),
      budget_bytes: bytesOrNull(fields['budget_bytes']),
    },
  ];
}
