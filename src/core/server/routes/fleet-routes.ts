import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fleet, OrderRequest } from '../../fleet/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { parseNodeId } from '../../kernel/machine/node-id.ts';
import { parseModelId, parseRevision, parseSelector } from '../../kernel/model-id.ts';
import type { DeletionReport } from '../../operations/models/delete-models.ts';
import { decode } from '../../protocol/decode.ts';
import type { EvictionsBody } from '../../protocol/events.ts';
import { nodeReport, type OrderBody, type OrderOutcome, type OrderProgress, type ReportBody } from '../../protocol/fleet.ts';
import type { Activity } from '../access/activity.ts';
import type { Limits } from '../app/limits.ts';
import { createSlots } from '../files/slots.ts';
import { addRoute } from './add-route.ts';

/** A node that leaves this many bytes of its stream unread is disconnected; it reconnects. */
const maxUnread = 256 * 1024;
/** A report has at most a thousand copies. */
const maxReportBytes = 512 * 1024;
/** The length of a text in the log of changes. */
const maxLogged = 200;
/** The longest time that an answer waits for nodes, in milliseconds. */
const maxWaitMs = 60_000;
/** The default of that time, in milliseconds. */
export const usualWaitMs = 5_000;

interface FleetRoutesOptions {
  readonly limits: Limits;
  readonly activity: Pick<Activity, 'record'>;
  /** The node id of this machine. */
  readonly ownId: string | undefined;
}

/** The nodes of a store and their orders. */
export function addFleetRoutes(app: FastifyInstance, fleet: Fleet, { limits, activity, ownId }: FleetRoutesOptions): void {
  const streams = createSlots('nodes listen for orders', limits.orderStreams, limits.orderStreamsPerAddress);
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  addRoute(app, 'GET /nodes', () => fleet.nodes());
  const report = async (request: FastifyRequest): Promise<object> => {
    const said = decode(nodeReport, { ...(request.body as ReportBody), node_id: nodeOf(request) });
    if (said === undefined) throw new SkulkError('BAD_REQUEST', 'the body is not a valid report of a node');
    // A command of this machine asks through loopback, an address that others cannot use.
    return { orders: await fleet.report(said, said.node_id === ownId ? {} : { address: request.ip }) };
  };
  addRoute(app, 'POST /nodes/:node', report, { bodyLimit: maxReportBytes, isRoutine: true });
  const noteEvictions = async (request: FastifyRequest): Promise<object> => {
    const { evicted, budget_bytes } = request.body as EvictionsBody;
    const who = { who: 'node', from: request.ip, node: nodeOf(request) };
    const copies = evicted.map(({ model_id, selector, freed_bytes }) => ({
      model_id: parseModelId(model_id),
      selector: selector?.slice(0, maxLogged) ?? null,
      freed_bytes,
    }));
    for (const copy of copies) activity.record({ ...who, action: 'evict', ...copy, target: null, code: null, budget_bytes });
    return { acknowledged: true };
  };
  addRoute(app, 'POST /nodes/:node/evictions', noteEvictions, { bodyLimit: maxReportBytes });
  addRoute(app, 'DELETE /nodes/:node', async (request) => {
    const node = nodeOf(request);
    await fleet.forget(node);
    request.log.info({ node }, 'node removed');
    return { node, forgotten: true };
  });
  addRoute(app, 'GET /nodes/:node/orders', async (request, reply) => {
    const release = streams.take(request.ip);
    try {
      return await streamOrders(request, reply, fleet, closing.signal);
    } finally {
      release();
    }
  });
  addRoute(app, 'POST /nodes/:node/orders/:order', async (request) => {
    const outcome = request.body as OrderOutcome;
    const node = nodeOf(request);
    await fleet.acknowledge(node, orderOf(request), outcome);
    request.log.info(
      { node, order: orderOf(request), status: outcome.status, freed_bytes: outcome.freed_bytes },
      'result of an order received',
    );
    return { acknowledged: true };
  });
  addRoute(
    app,
    'POST /nodes/:node/orders/:order/progress',
    async (request) => ({ wanted: await fleet.progress(nodeOf(request), orderOf(request), request.body as OrderProgress) }),
    { isRoutine: true },
  );
  addRoute(app, 'DELETE /orders/:order', (request) => fleet.withdraw(orderOf(request)));
  addRoute(app, 'POST /orders', async (request) => {
    const body = request.body as OrderBody;
    const { kind, model_id, selector, force = false, nodes } = body;
    const order = await fleet.give({
      kind,
      model_id: model_id == null ? null : parseModelId(model_id),
      selector: partOf(model_id, selector),
      ...onlyOfStage(body),
      force,
      ...(nodes !== undefined && { nodes: nodes.map(parseNodeId) }),
    });
    request.log.info({ order: order.order_id, model: order.model_id, selector: order.selector, force }, 'order created');
    return order;
  });
  addRoute(app, 'GET /orders', () => fleet.pendingOrders());
  addRoute(app, 'GET /orders/:order', (request) => fleet.outcome(orderOf(request), { waitMs: waitOf(request, 0), signal: closing.signal }));
}

/**
 * How long a request waits for the nodes, from its `wait_ms`.
 * @throws SkulkError BAD_REQUEST
 */
export function waitOf(request: FastifyRequest, fallback = usualWaitMs): number {
  const { wait_ms: text } = request.query as { wait_ms?: unknown };
  if (text === undefined) return fallback;
  if (typeof text === 'string' && /^\d{1,6}$/.test(text)) return Math.min(Number(text), maxWaitMs);
  throw new SkulkError('BAD_REQUEST', 'wait_ms must be a number of milliseconds', { hint: 'e.g. ?wait_ms=5000' });
}

/** Whether a request has `force=true`. */
export const forceOf = (request: FastifyRequest): boolean => (request.query as { force?: unknown }).force === 'true';

/**
 * The quantization in a body beside its model.
 * @throws SkulkError BAD_REQUEST without a model, USAGE and BAD_PATH for an invalid one
 */
export function partOf(modelId: string | null | undefined, selector: string | null | undefined): string | undefined {
  if (selector == null) return undefined;
  if (modelId == null) throw new SkulkError('BAD_REQUEST', 'selector needs a model_id', { hint: 'add model_id' });
  return parseSelector(selector);
}

/** The fields that only an order to stage may have. @throws SkulkError BAD_REQUEST */
function onlyOfStage({ kind, model_id, revision, keep_ms, force }: OrderBody): Pick<OrderRequest, 'revision' | 'keep_ms'> {
  if (kind === 'stage' && (model_id == null || force === true))
    throw new SkulkError('BAD_REQUEST', model_id == null ? 'an order to stage needs a model_id' : 'an order to stage takes no force');
  if (kind !== 'stage' && (revision != null || keep_ms !== undefined))
    throw new SkulkError('BAD_REQUEST', 'revision and keep_ms are only for an order to stage');
  return { ...(revision != null && { revision: parseRevision(revision) }), ...(keep_ms !== undefined && { keep_ms }) };
}

/** The capabilities of a node that listens for orders, from `knows`. */
function knownTo(request: FastifyRequest): readonly string[] {
  const { knows } = request.query as { knows?: unknown };
  return typeof knows === 'string' ? knows.split(',') : [];
}

const nodeOf = (request: FastifyRequest) => parseNodeId((request.params as { node: string }).node);

/** The order that a request names. @throws SkulkError BAD_REQUEST */
export function orderOf(request: FastifyRequest): string {
  const { order } = request.params as { order: string };
  if (/^[0-9a-f]{24}$/.test(order)) return order;
  throw new SkulkError('BAD_REQUEST', 'the order id is invalid', { hint: 'it has 24 hexadecimal digits' });
}

async function streamOrders(request: FastifyRequest, reply: FastifyReply, fleet: Fleet, closing: AbortSignal): Promise<FastifyReply> {
  const node = nodeOf(request);
  const gone = new AbortController();
  const { raw } = reply;
  raw.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, closing]);
  reply.hijack();
  raw.writeHead(200, {
    'Content-Type': 'application/x-ndjson; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  });
  raw.flushHeaders();
  try {
    for await (const order of fleet.orders(node, signal, knownTo(request))) {
      if (raw.writableLength > maxUnread) break;
      raw.write(`${JSON.stringify(order === undefined ? {} : { order })}\n`);
    }
  } catch (error) {
    request.log.error({ err: error, node }, 'a stream of orders ended');
  }
  raw.end();
  return reply;
}

/** The answer for the deletion of one model. */
export function deletionAnswer({ removed, freed_bytes, canonical_bytes, nodes, orders }: DeletionReport): object {
  const [order] = orders;
  const selector = removed[0]?.selector;
  return {
    ...(selector !== undefined && { selector }),
    freed_bytes,
    canonical_bytes,
    nodes,
    ...(order !== undefined && order.order_id !== '' && { order }),
  };
}
