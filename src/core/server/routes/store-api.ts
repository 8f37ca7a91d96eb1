import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import { mapInTurns } from '../../kernel/flow/in-turns.ts';
import { parseNodeId } from '../../kernel/machine/node-id.ts';
import { parseModelId } from '../../kernel/model-id.ts';
import { deleteModels } from '../../operations/models/delete-models.ts';
import { cancelDownload, download, downloadStatus, listDownloads } from '../../operations/models/downloads.ts';
import { listRegistry } from '../../operations/models/list-registry.ts';
import { cancelUpload, listUploads } from '../../operations/models/uploads.ts';
import { listNodes, listOrders } from '../../operations/nodes/nodes.ts';
import { purgeEverywhere } from '../../operations/nodes/purge-everywhere.ts';
import { checkHealth } from '../../operations/store/check-health.ts';
import type { DescribedEntry } from '../../store/contract.ts';
import { forNodes, forReaders } from '../access/require-role.ts';
import type { Limits } from '../app/limits.ts';
import type { EventStreams } from '../events/event-stream.ts';
import type { Feed } from '../events/feed.ts';
import { createStoreFeed, type StoreTopic } from '../events/store-events.ts';
import { addDownloadRoutes } from './download-routes.ts';
import { deletionAnswer, forceOf, waitOf } from './fleet-routes.ts';
import { purgeBodySchema } from './fleet-schemas.ts';
import { healthAnswer } from './health-answer.ts';
import { sendJson } from './json-cache.ts';
import { modelOf } from './model-of.ts';
import { addModelRoutes } from './model-routes.ts';
import { deletedSchema, downloadSchema, entrySchema, errorSchema, eventsSchema, modelParams, query } from './schemas.ts';
import { addUploadListRoutes } from './upload-routes.ts';

/** What the routes of a store need beside it. */
export interface StoreApiOptions {
  readonly limits: Limits;
  readonly streams: EventStreams;
}

/**
 * What every serving node answers of the store (docs/http.md). Each route calls the operation
 * that the command of that name calls.
 * @param deps asked for at each request, as a node may find its store later
 */
export function addStoreApi(app: FastifyInstance, deps: () => Promise<Deps>, { limits, streams }: StoreApiOptions): void {
  const open = { type: 'object', additionalProperties: true } as const;
  const unavailable = { 503: errorSchema };

  app.get(
    '/store/health',
    { config: forReaders, schema: { summary: 'How the store is', response: { 200: open, ...unavailable } } },
    async () => healthAnswer(await checkHealth(await deps())),
  );
  const entries = { ...open, properties: { entries: { type: 'array', items: entrySchema } } } as const;
  app.get(
    '/store/registry',
    { config: forReaders, schema: { summary: 'What the store holds, with tags', response: { 200: entries, ...unavailable } } },
    async (_request, reply) => sendJson(reply, await listRegistry(await deps(), { tags: [] })),
  );
  const model = { ...open, properties: { id: { type: 'string' } } } as const;
  const models = { ...open, properties: { object: { const: 'list' }, data: { type: 'array', items: model } } } as const;
  app.get(
    '/v1/models',
    { config: forReaders, schema: { summary: 'What the store holds, as OpenAI lists models', response: { 200: models, ...unavailable } } },
    async (_request, reply) =>
      sendJson(reply, { object: 'list', data: await mapInTurns((await listRegistry(await deps(), { tags: [] })).entries, toOpenAiModel) }),
  );
  const remove = async (request: FastifyRequest): Promise<object> => {
    const modelId = modelOf(request);
    request.log.info({ model: modelId }, 'asked to delete');
    return {
      modelId,
      deleted: true,
      ...deletionAnswer(await deleteModels(await deps(), { modelIds: [modelId], force: forceOf(request), waitMs: waitOf(request) })),
    };
  };
  const removed = {
    summary: 'Remove a model and every staged copy of it',
    params: modelParams,
    querystring: query('wait_ms', 'force'),
    response: { 200: deletedSchema, 404: errorSchema, 409: errorSchema, ...unavailable },
  };
  app.delete('/store/models/:id', { config: forNodes, schema: removed }, remove);
  app.delete('/store/models/:org/:name', { config: forNodes, schema: { hide: true } }, remove);
  addModelRoutes(app, deps, limits);
  addEventRoute(app, deps, streams);
  addUploadListRoutes(app, '/store/uploads', async () => {
    const known = await deps();
    return {
      list: async () => (await listUploads(known)).uploads,
      cancel: (id, options) => cancelUpload(known, { id, ...options }),
    };
  });
  app.get(
    '/store/downloads',
    {
      config: forReaders,
      schema: {
        summary: 'The running and waiting downloads',
        querystring: query('recent'),
        response: { 200: { ...open, properties: { downloads: { type: 'array', items: downloadSchema } } }, ...unavailable },
      },
    },
    async (request) => listDownloads(await deps(), { recent: (request.query as { recent?: unknown }).recent === 'true' }),
  );
  addDownloadRoutes(app, '/store/models', {
    ask: async (request) => download(await deps(), { request, wait: false }),
    status: async (modelId) => downloadStatus(await deps(), { modelId }),
    cancel: async (modelId) => cancelDownload(await deps(), { modelId }),
  });
  const purgeAnswer = {
    200: { ...open, description: 'The order, a sentence, and how it stands on each node' },
    400: errorSchema,
    404: errorSchema,
    ...unavailable,
  };
  app.post(
    '/store/purge-staging',
    {
      config: forNodes,
      schema: {
        summary: 'Remove staged copies on every node, or on those that are named; canonical copies stay',
        querystring: query('wait_ms'),
        body: purgeBodySchema,
        response: purgeAnswer,
      },
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request) => {
      const body = request.body as { model_id?: string | null; force?: boolean; nodes?: readonly string[] };
      const { model_id, force = false } = body;
      const modelId = model_id == null ? undefined : parseModelId(model_id);
      const named = body.nodes?.map(parseNodeId);
      request.log.info({ model: modelId, force, nodes: named }, 'asked to purge');
      const { order, freed_bytes, nodes } = await purgeEverywhere(await deps(), {
        modelIds: modelId === undefined ? [] : [modelId],
        force,
        nodes: named,
        waitMs: waitOf(request),
      });
      const done = nodes.filter(({ status }) => status === 'done').length;
      return { order, message: `${done} of ${nodes.length} nodes have purged ${modelId ?? 'their staged copies'}`, freed_bytes, nodes };
    },
  );
  app.get(
    '/store/orders',
    { config: forReaders, schema: { summary: 'The orders that some node has not carried out', response: { 200: open, ...unavailable } } },
    async () => listOrders(await deps()),
  );
  app.get(
    '/store/nodes',
    { config: forReaders, schema: { summary: 'Every node that reported', response: { 200: open, ...unavailable } } },
    async () => listNodes(await deps()),
  );
}

/** `GET /store/events`. */
function addEventRoute(app: FastifyInstance, deps: () => Promise<Deps>, streams: EventStreams): void {
  const feeds = new WeakMap<Deps, Feed<StoreTopic>>();
  app.get(
    '/store/events',
    { config: { ...forReaders, ownPagesOnly: true, isEndless: true }, schema: eventsSchema, exposeHeadRoute: false },
    async (request, reply) => {
      const known = await deps();
      const feed = feeds.get(known) ?? createStoreFeed(known);
      feeds.set(known, feed);
      return streams.answer(request, reply, feed);
    },
  );
}

/** Times in this list are seconds since 1970. */
function toOpenAiModel({ model_id, downloaded_at, files, total_bytes, ...entry }: DescribedEntry): object {
  const created = Math.floor(Date.parse(downloaded_at) / 1000);
  return {
    id: model_id,
    object: 'model',
    created: Number.isFinite(created) ? created : 0,
    owned_by: model_id.includes('/') ? model_id.slice(0, model_id.indexOf('/')) : 'skulk',
    tags: entry.tags,
    capabilities: entry.capabilities,
    supports_tensor: entry.supports_tensor,
    base_model: entry.base_model,
    quantization: entry.quantization,
    family: entry.family,
    context_length: entry.context_length,
    size_bytes: total_bytes,
    files: files.length,
  };
}
