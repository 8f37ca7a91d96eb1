import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SkulkError } from '../kernel/errors.ts';
import { parseModelId } from '../kernel/model-id.ts';
import { checkHealth } from '../operations/check-health.ts';
import { deleteModels } from '../operations/delete-models.ts';
import type { Deps } from '../operations/deps.ts';
import { listRegistry } from '../operations/list-registry.ts';
import { listStaging } from '../operations/list-staging.ts';
import { createApp, type LogOptions } from './create-app.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { deletedSchema, entrySchema, errorSchema, modelParams } from './schemas.ts';

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
  readonly deps: Deps;
  readonly identity: NodeIdentity;
  /** The configuration in force, without secrets. */
  readonly effectiveConfig: () => object;
  readonly limits?: Partial<Limits>;
}

/** The HTTP API that every serving node has. Each route calls the operation that the command of that name calls. */
export async function createApiApp({
  deps,
  identity,
  effectiveConfig,
  limits: given,
  logLevel,
  stream,
}: ApiAppOptions): Promise<FastifyInstance> {
  const limits = { ...defaultLimits, ...given };
  const token = deps.config.settings.token.value;
  const app = await createApp({ title: 'skulk', version: identity.version, limits, token, reword: rewordStoreFailure, logLevel, stream });
  const open = { type: 'object', additionalProperties: true } as const;
  const unavailable = { 503: errorSchema };

  app.get('/store/health', { schema: { summary: 'How the store is', response: { 200: open, ...unavailable } } }, async () => {
    const { store_path, free_bytes, total_bytes, used_bytes, node_id, models, version, hostname, location } = await checkHealth(deps);
    return {
      storePath: store_path,
      freeBytes: free_bytes,
      totalBytes: total_bytes,
      usedBytes: used_bytes,
      models,
      version,
      hostname,
      nodeId: node_id,
      location,
    };
  });
  const entries = { ...open, properties: { entries: { type: 'array', items: entrySchema } } } as const;
  app.get(
    '/store/registry',
    { schema: { summary: 'What the store holds, with tags', response: { 200: entries, ...unavailable } } },
    async () => listRegistry(deps, { tags: [] }),
  );
  const remove = async (request: FastifyRequest): Promise<object> => {
    const { id, org, name } = request.params as { id?: string; org?: string; name?: string };
    const modelId = parseModelId(id ?? `${org}/${name}`);
    const { nodes, freed_bytes } = await deleteModels(deps, { modelIds: [modelId], force: false });
    request.log.info({ model: modelId, freed_bytes }, 'deleted');
    return { modelId, deleted: true, freed_bytes, nodes };
  };
  const removed = {
    summary: 'Remove a model and every staged copy of it',
    params: modelParams,
    response: { 200: deletedSchema, 404: errorSchema, 409: errorSchema, ...unavailable },
  };
  app.delete('/store/models/:id', { schema: removed }, remove);
  app.delete('/store/models/:org/:name', { schema: { hide: true } }, remove);
  app.get('/store/storage', { schema: { summary: "This node's staged copies", response: { 200: open } } }, async () => listStaging(deps));
  app.get('/node/identity', { schema: { summary: 'Who this node is', response: { 200: open } } }, async () => identity);
  app.get('/config', { schema: { summary: 'The configuration in force, without secrets', response: { 200: open } } }, async () => ({
    config: effectiveConfig(),
    path: deps.config.file ?? null,
  }));
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
