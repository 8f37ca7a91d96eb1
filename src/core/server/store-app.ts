import type { FastifyInstance } from 'fastify';
import type { LocalStore } from '../store/contract.ts';
import { createApp, type LogOptions } from './create-app.ts';
import { addFileRoutes } from './file-routes.ts';
import { sendJson } from './json-cache.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { entrySchema, healthSchema } from './schemas.ts';
import { addWorkRoutes } from './work-routes.ts';

/** What the file server of a store host needs. */
export interface StoreAppOptions extends LogOptions {
  readonly store: LocalStore;
  readonly version: string;
  readonly limits?: Partial<Limits>;
  /** When given, everything but `/health` wants it as a bearer token. */
  /** What this machine is called beside its addresses. */
  readonly names?: readonly string[] | undefined;
  readonly token?: string | undefined;
}

/** The store host's file server. It holds no policy: it says what the store says. */
export async function createStoreApp({
  store,
  version,
  limits: given,
  token,
  names,
  logLevel,
  stream,
}: StoreAppOptions): Promise<FastifyInstance> {
  const limits = { ...defaultLimits, ...given };
  const app = await createApp({ title: 'skulk store', version, limits, token, names, openRoutes: ['/health'], logLevel, stream });
  const list = { type: 'array' } as const;
  app.get('/health', { schema: { summary: 'How the store is', response: { 200: healthSchema } } }, async () => store.health());
  app.get(
    '/registry',
    { schema: { summary: 'Every model that the store holds', response: { 200: { ...list, items: entrySchema } } } },
    async (_request, reply) => sendJson(reply, await store.listDescribed()),
  );
  app.get(
    '/models',
    { schema: { summary: 'The ids of the models', response: { 200: { ...list, items: { type: 'string' } } } } },
    async () => (await store.listModels()).map(({ model_id }) => model_id),
  );
  addFileRoutes(app, { store, limits });
  addWorkRoutes(app, { store, intervalMs: limits.progressIntervalMs });
  return app;
}
