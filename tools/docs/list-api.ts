import type { FastifyInstance } from 'fastify';
import { resolveConfig } from '../../src/core/config/resolve/resolve-config.ts';
import { createConnections } from '../../src/core/connect/connections.ts';
import type { World } from '../../src/core/kernel/world.ts';
import type { RouteRole } from '../../src/core/server/access/require-role.ts';
import { listRoutes } from '../../src/core/server/access/require-role.ts';
import { createApiApp } from '../../src/core/server/app/api-app.ts';
import { createStoreApp } from '../../src/core/server/app/store-app.ts';

/** One of the two servers of a store host, for the documentation. */
export interface DescribedServer {
  /** Its answer to `GET /openapi.json`. */
  readonly openapi: unknown;
  readonly routes: readonly RouteRole[];
}

/** The descriptions of the two servers of a store host. They do not listen on a port. */
export async function listApi(): Promise<{ readonly store: DescribedServer; readonly api: DescribedServer }> {
  const world: World = {
    env: {},
    cwd: '/',
    platform: 'linux',
    hostname: 'store-host',
    homeDirectory: '/home/skulk',
    user: () => 'skulk',
    version: '',
    now: () => new Date(0),
    signal: new AbortController().signal,
    emit: () => {},
  };
  const config = resolveConfig(world, { content: {}, file: undefined, flags: {}, nodeId: undefined, skulkHome: '/home/skulk/.skulk' });
  const deps = { world, config, connections: createConnections(world) };
  const store = await createStoreApp({
    store: nothing(),
    uploads: nothing(),
    downloads: nothing(),
    fleet: nothing(),
    deps,
    administration: nothing(),
    version: '',
    logLevel: 'silent',
  });
  const identity = { hostname: 'store-host', node_id: null, preferred_address: null, version: '', role: 'store', can_restart: true };
  const api = await createApiApp({
    deps,
    administration: nothing(),
    identity: () => identity,
    hub: { backend: nothing(), registry: nothing(), store: nothing() },
    logLevel: 'silent',
  });
  return { store: await describe(store), api: await describe(api) };
}

async function describe(app: FastifyInstance): Promise<DescribedServer> {
  const answer = await app.inject({ url: '/openapi.json', headers: { host: 'localhost' } });
  const openapi: unknown = answer.json();
  await app.close();
  return { openapi, routes: listRoutes(app) };
}

/** Replaces the dependencies of a route, which is never called. Every call does nothing. */
function nothing<T>(): T {
  const answer = async (): Promise<void> => undefined;
  return new Proxy(answer, { get: (_, name) => (name === 'then' ? undefined : answer) }) as T;
}
