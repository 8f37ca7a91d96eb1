import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type HubBackend, HubRefusal } from '../../../endpoint/contract.ts';
import type { Registry } from '../../../endpoint/registry/registry.ts';
import { hasPassed, viaHeader } from '../../../protocol/via.ts';
import type { OwnOptions } from '../add-route.ts';
import type { FileSending } from '../answer-file.ts';
import { addHubFileRoutes } from './file-routes.ts';
import { answerHubError } from './hub-error.ts';
import { addHubModelRoutes } from './model-routes.ts';
import type { Origins } from './origins.ts';
import { addOtherHubRoutes } from './other-routes.ts';
import { addRegistryRoutes } from './registry-routes.ts';

/** The options of the Hub's routes. */
export interface HubRoutesOptions {
  readonly backend: HubBackend;
  readonly registry: Registry;
  readonly sending: FileSending;
  readonly origins: Origins;
  /** The URL of a model's page for a browser, if this server itself has no page. */
  readonly pageOf?: ((request: FastifyRequest) => string | undefined) | undefined;
  /** The id of this server, to reject a request that has already passed it. */
  readonly nodeId?: string | undefined;
  /** On a node: forwards to the store, before the body is read. If the store is unreachable, the routes of this server answer. */
  readonly passOn?: ((request: FastifyRequest, reply: FastifyReply) => Promise<void>) | undefined;
}

/** The size limit of a form, in bytes; routes may have a lower one. */
const formBytes = 1024 * 1024;

/**
 * The store as a Hugging Face Hub (docs/hub-endpoint.md), at the root of the server, as clients expect. The server's own routes have
 * priority.
 */
export async function addHubRoutes(app: FastifyInstance, options: HubRoutesOptions): Promise<void> {
  await app.register(async (hub) => {
    const { origins, passOn, nodeId } = options;
    const preflights = new Set<string>();
    // Forms are only accepted here: any page can make a browser send a form, so it must not be a valid body for a route that changes
    // something.
    hub.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: formBytes }, (_, body, done) =>
      done(
        null,
        Object.fromEntries(
          Map.groupBy(new URLSearchParams(body as string), ([name]) => name)
            .entries()
            .map(([name, all]) => [name, all.map(([, value]) => value)]),
        ),
      ),
    );
    hub.addHook('onRequest', (request, reply) => origins.mark(request, reply));
    hub.addHook('onRequest', async ({ headers }) => {
      if (nodeId !== undefined && hasPassed(headers[viaHeader], nodeId))
        throw new HubRefusal('loop', 'HF_ENDPOINT or --upstream of this server leads back to it');
    });
    if (passOn !== undefined)
      hub.addHook('onRequest', async (request, reply) => {
        if (request.method !== 'OPTIONS') await passOn(request, reply);
      });
    const own: OwnOptions = {
      isForStrangers: true,
      isRoutine: true,
      errorHandler: async (error, request, reply) => {
        await origins.mark(request, reply).catch(() => undefined);
        return answerHubError(error, request, reply);
      },
    };
    // A CORS preflight reveals nothing about the content, and sends no token.
    hub.addHook('onRoute', ({ url, method, config }) => {
      if (![method].flat().some((one) => one === 'GET' || one === 'POST') || config?.isForWhatIsLeft === true) return;
      if (preflights.has(url)) return;
      preflights.add(url);
      hub.route({
        method: 'OPTIONS',
        url,
        config: { role: 'open', isForWhatIsLeft: true },
        schema: { hide: true },
        handler: (_, reply) => reply.code(204).headers(preflight).send(),
      });
    });
    addHubFileRoutes(hub, options, own);
    addHubModelRoutes(hub, options, own);
    addOtherHubRoutes(hub, options, own);
    addRegistryRoutes(hub, options);
  });
}

/** What a page may do (https://fetch.spec.whatwg.org/#http-cors-protocol). */
const preflight = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, OPTIONS',
  'Access-Control-Allow-Headers': 'authorization,range,content-type',
  'Access-Control-Max-Age': '600',
} as const;
