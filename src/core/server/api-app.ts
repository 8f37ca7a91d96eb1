import type { FastifyInstance } from 'fastify';
import { SkulkError } from '../kernel/errors.ts';
import type { Deps } from '../operations/deps.ts';
import { listStaging } from '../operations/list-staging.ts';
import type { StoreLink } from '../operations/store-link.ts';
import { addConfigRoutes } from './config-routes.ts';
import { createApp, type LogOptions } from './create-app.ts';
import { forwardToStore } from './forward-to-store.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { addStoreApi } from './store-api.ts';

/** Who a serving node is. */
export interface NodeIdentity {
  readonly hostname: string;
  readonly node_id: string | null;
  /** The address at which other machines reach it, when it is known. */
  readonly preferred_address: string | null;
  readonly version: string;
  readonly role: string;
}

/** What the API of a serving node needs. */
export interface ApiAppOptions extends LogOptions {
  /** Of this machine. */
  readonly deps: Deps;
  /** Of a node that is not the store host; on the host `deps` has the store. */
  readonly link?: StoreLink | undefined;
  readonly identity: () => NodeIdentity;
  /** What this machine is called beside its addresses. */
  readonly names?: readonly string[];
  readonly limits?: Partial<Limits>;
}

/** The HTTP API that every serving node has. */
export async function createApiApp({
  deps,
  link,
  identity,
  names,
  limits: given,
  logLevel,
  stream,
}: ApiAppOptions): Promise<FastifyInstance> {
  const app = await createApp({
    title: 'skulk',
    version: identity().version,
    limits: { ...defaultLimits, ...given },
    token: deps.config.settings.token.value,
    names,
    reword: rewordStoreFailure,
    logLevel,
    stream,
  });
  const open = { type: 'object', additionalProperties: true } as const;
  if (link !== undefined) forwardToStore(app, link);
  addStoreApi(app, link === undefined ? async () => deps : link.deps);
  app.get('/store/storage', { schema: { summary: "This node's staged copies", response: { 200: open } } }, async () => listStaging(deps));
  app.get('/node/identity', { schema: { summary: 'Who this node is', response: { 200: open } } }, async () => identity());
  addConfigRoutes(app, deps);
  return app;
}

/** These two sentences are part of the contract; what is known beyond them follows, or goes into the hint. */
function rewordStoreFailure(error: unknown): unknown {
  if (!(error instanceof SkulkError)) return error;
  const { code, message, hint, retryAfterMs } = error;
  if (code === 'STORE_NOT_CONFIGURED') return new SkulkError(code, 'Store not configured', { hint: hint ?? message, cause: error });
  if (code === 'STORE_UNREACHABLE') return new SkulkError(code, `Store unreachable: ${message}`, { hint, retryAfterMs, cause: error });
  return error;
}
