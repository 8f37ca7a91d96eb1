import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { StoreLink } from '../operations/store-link.ts';
import { pathOf } from './parse-model-url.ts';

/**
 * On a node every request about the store goes to the store host as it came. A host that has no API of its own is asked by the
 * routes of this app instead.
 */
export function forwardToStore(app: FastifyInstance, link: StoreLink): void {
  const streams = new Set<ServerResponse>();
  // What has an end may come to it when this server is stopped; these have none.
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.destroy();
  });
  app.addHook('onRequest', async (request, reply) => {
    const target = request.originalUrl;
    const path = pathOf(target);
    if (!isOfStore(path) || !(await link.mayForward())) return;
    if (isEndless(path)) streams.add(reply.raw);
    try {
      await link.forward(request.raw, reply.raw, target, () => reply.hijack());
    } finally {
      streams.delete(reply.raw);
    }
  });
}

/** What is said of this node's own copies is not. */
const isOfStore = (path: string): boolean => path === '/v1/models' || (path.startsWith('/store/') && !/^\/store\/storage\/*$/.test(path));

const isEndless = (path: string): boolean => /^\/store\/events\/*$/.test(path);
