import type { FastifyInstance } from 'fastify';
import type { SwarmBody } from '../../protocol/staging.ts';
import type { HostSwarms } from '../../swarm/host-swarms.ts';
import { addRoute } from './add-route.ts';
import { modelOf } from './model-of.ts';

/** The routes of nodes that share a model. The tracker is open: the key in its query is a member's right. */
export function addSwarmRoutes(app: FastifyInstance, swarms: HostSwarms): void {
  addRoute(app, 'POST /models/:id/swarm', (request) =>
    swarms.ask(modelOf(request), request.body as SwarmBody, request.socket.remoteAddress ?? ''),
  );
  addRoute(
    app,
    'GET /swarm/announce',
    async (request, reply) => {
      const { remoteAddress: from = '', localAddress: at = '' } = request.socket;
      return reply.type('text/plain').send(swarms.announce(request.raw.url ?? '', { from, at }));
    },
    { isRoutine: true },
  );
}
