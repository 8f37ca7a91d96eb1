import type { FastifyInstance } from 'fastify';
import type { StoreLink } from '../operations/store-link.ts';
import { pathOf } from './parse-model-url.ts';

/**
 * On a node every request about the store goes to the store host as it came. A host that has no API of its own is asked by the
 * routes of this app instead.
 */
export function forwardToStore(app: FastifyInstance, link: StoreLink): void {
  app.addHook('onRequest', async (request, reply) => {
    const target = request.originalUrl;
    if (isOfStore(pathOf(target)) && (await link.mayForward())) await link.forward(request.raw, reply.raw, target, () => reply.hijack());
  });
}

/** What is said of this node's own copies is not. */
const isOfStore = (path: string): boolean => path === '/v1/models' || (path.startsWith('/store/') && !/^\/store\/storage\/*$/.test(path));
