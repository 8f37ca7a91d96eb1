import fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import { compilers } from './compilers.ts';

/**
 * Adds `GET /openapi.json`, which describes all routes that are added after this. Its generator is loaded at the first request: otherwise
 * a server would read a hundred more files before it is ready.
 */
export function describeRoutes(app: FastifyInstance, info: { readonly title: string; readonly version: string }): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', ({ method, url, schema }) => void routes.push({ method, url, ...(schema && { schema }), handler: nothing }));
  let made: Promise<unknown> | undefined;
  app.get('/openapi.json', { config: { role: 'read' }, schema: { hide: true } }, () => {
    made ??= makeDocument(routes, info);
    return made;
  });
}

const nothing = async (): Promise<void> => undefined;

/** Registers the routes with an app that never listens. */
async function makeDocument(routes: readonly RouteOptions[], info: { readonly title: string; readonly version: string }): Promise<unknown> {
  const { default: swagger } = await import('@fastify/swagger');
  const shown = fastify({ schemaController: { compilersFactory: compilers }, exposeHeadRoutes: false });
  shown.removeAllContentTypeParsers();
  await shown.register(swagger, { openapi: { openapi: '3.1.0', info } });
  for (const route of routes) shown.route(route);
  await shown.ready();
  return shown.swagger();
}
