import type { FastifyReply, FastifyRequest } from 'fastify';
import type { StoreLink } from '../../../connect/store-link.ts';
import { HubRefusal } from '../../../endpoint/contract.ts';
import { isPlainParam, splitTarget, targetOfRoute } from '../../app/request-target.ts';
import { shownToStore } from '../forward-to-store.ts';
import { noFetch, type Origins } from './origins.ts';
import { ownUrl } from './own-url.ts';

/**
 * On a node a request of a Hub client goes to the store as it came, and its answer comes back as it comes. Never a redirect: clients drop
 * their token at another host, or follow none at all.
 */
export function forwardHub(link: StoreLink, origins: Origins): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    const { url: route = '' } = request.routeOptions;
    const params = request.params as Record<string, string>;
    if (!Object.values(params).every(isPlainParam)) throw new HubRefusal('badRequest', 'the path has a part that is "." or ".."');
    if (!(await link.mayForward())) throw new HubRefusal('notFound', 'Hub clients cannot use the store of this node');
    if (!(await origins.askerOf(request)).mayFetch) request.raw.headers[noFetch] = '1';
    const target = targetOfRoute(route, params, splitTarget(request.originalUrl).query);
    await link.forward(request.raw, reply.raw, target, {
      begin: () => reply.hijack(),
      authorization: shownToStore(request),
      location: (path) => ownUrl(request, path),
    });
  };
}
