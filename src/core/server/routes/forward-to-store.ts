import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { StoreLink } from '../../connect/store-link.ts';
import { isPlainParam, splitTarget, targetOfRoute } from '../app/request-target.ts';

/**
 * On a node, every request about the store is forwarded to the store host. Only routes of this app are forwarded, each with a target
 * built from its pattern and parameters, so no request can reach the host's other routes. If a host has no such API, the routes of this
 * app call its protocol instead.
 */
export function forwardToStore(app: FastifyInstance, link: StoreLink): void {
  const streams = new Set<ServerResponse>();
  // Other requests may finish when this server stops; these never end.
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.destroy();
  });
  app.addHook('onRequest', async (request, reply) => {
    const { url: route } = request.routeOptions;
    const params = request.params as Record<string, string>;
    if (route === undefined || !isOfStore(route) || !Object.values(params).every(isPlainParam) || !(await link.mayForward())) return;
    const target = targetOfRoute(names.get(route) ?? route, params, splitTarget(request.originalUrl).query);
    if (route === '/store/events') streams.add(reply.raw);
    try {
      await link.forward(request.raw, reply.raw, target, { begin: () => reply.hijack(), authorization: shownToStore(request) });
    } finally {
      streams.delete(reply.raw);
    }
  });
}

/**
 * The credential for the store. The keys of this machine are only valid on this machine, so with one of them the request counts as one of
 * the LAN. This node never adds its own token: its client would get rights that it does not have.
 */
export function shownToStore({ asker, headers }: FastifyRequest): string | undefined {
  return asker.credential === 'token' || asker.credential === 'named' ? headers.authorization : undefined;
}

/** Routes with another name on the store: its file server has its own list at `/models`. */
const names: ReadonlyMap<string, string> = new Map([['/models', '/v1/models']]);

/** Routes about this node's own copies are not forwarded. */
const isOfStore = (route: string): boolean =>
  route === '/v1/models' || names.has(route) || (route.startsWith('/store/') && route !== '/store/storage');
