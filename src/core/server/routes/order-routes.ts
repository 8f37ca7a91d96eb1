import type { FastifyInstance } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import { parseNodeId } from '../../kernel/machine/node-id.ts';
import { parseRevision, parseSelector } from '../../kernel/model-id.ts';
import { listOrders, showOrder, withdrawOrder } from '../../operations/nodes/nodes.ts';
import { orderStage } from '../../operations/nodes/stage-everywhere.ts';
import type { StageOnBody } from '../../protocol/fleet.ts';
import { addRoute } from './add-route.ts';
import { orderOf, waitOf } from './fleet-routes.ts';
import { modelOf } from './model-of.ts';

/** What the API says of orders, and how nodes are asked to stage. */
export function addOrderRoutes(app: FastifyInstance, deps: () => Promise<Deps>): void {
  addRoute(app, 'POST /store/models/:id/stage', async (request) => {
    const { selector, revision, keep_ms: keepMs, nodes: given } = request.body as StageOnBody;
    const modelId = modelOf(request);
    const nodes = given?.map(parseNodeId);
    request.log.info({ model: modelId, selector, nodes }, 'stage on nodes requested');
    const ref = {
      modelId,
      ...(selector != null && { selector: parseSelector(selector) }),
      ...(revision != null && { revision: parseRevision(revision) }),
    };
    return orderStage(await deps(), { refs: [ref], nodes, keepMs });
  });
  addRoute(app, 'GET /store/orders', async () => listOrders(await deps()));
  addRoute(app, 'GET /store/orders/:order', async (request) =>
    showOrder(await deps(), { orderId: orderOf(request), waitMs: waitOf(request, 0) }),
  );
  addRoute(app, 'DELETE /store/orders/:order', async (request) => withdrawOrder(await deps(), { orderId: orderOf(request) }));
}
