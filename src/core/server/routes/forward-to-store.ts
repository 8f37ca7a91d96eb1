import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { StoreLink } from '../../connect/store-link.ts';
import { isPlainParam, splitTarget, targetOfRoute } from '../app/request-target.ts';

/**
 * On a node every request about the store goes to the store host. Only routes of this app are sent on, each by a target that is built
 * of its pattern and its parameters: no request gets to the host's other routes. A host that has no API of its own is asked by the
 * routes of this app instead.
 */
export function forwardToStore(app: FastifyInstance, link: StoreLink): void {
  const streams = new Set<ServerResponse>();
  // What has an end may come to it when this server is stopped; these have none.
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
 * What the store is shown of who asks. The keys of this machine are for this machine alone; with one of them the store sees a request of
 * the LAN. This node never adds a token of its own: whoever asks would do with it what they may not do themselves.
 */
export function shownToStore({ asker, headers }: FastifyRequest): string | undefined {
  return asker.credential === 'token' || asker.credential === 'named' ? headers.authorization : undefined;
}

/** Routes of the API that the store has under another name: its file server has a list of its own at `/models`. */
const names: ReadonlyMap<string, string> = new Map([['/models', '/v1/models']]);

/** What is said of this node's own copies is not. */
const isOfStore = (route: string): boolean =>
  route === '/v1/models' || names.has(route) || (route.startsWith('/store/') && route !== '/store/storage');
