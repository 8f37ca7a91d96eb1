import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { mapYielding } from '../../kernel/flow/yielding.ts';
import { parseNodeId } from '../../kernel/machine/node-id.ts';
import { formatRef, parseModelId } from '../../kernel/model-id.ts';
import { deleteModels } from '../../operations/models/delete-models.ts';
import { cancelDownload, clearDownload, download, downloadStatus, listDownloads } from '../../operations/models/downloads.ts';
import { listRegistry } from '../../operations/models/list-registry.ts';
import { cancelUpload, listUploads } from '../../operations/models/uploads.ts';
import { forgetNode, listNodes } from '../../operations/nodes/nodes.ts';
import { purgeEverywhere } from '../../operations/nodes/purge-everywhere.ts';
import type { PurgeBody } from '../../protocol/fleet.ts';
import type { DescribedEntry, OpenAiModels } from '../../protocol/models/entries.ts';
import type { Activity } from '../access/activity.ts';
import type { Limits } from '../app/limits.ts';
import type { EventStreams } from '../events/event-stream.ts';
import type { Feed } from '../events/feed.ts';
import { createStoreFeed, type StoreTopic } from '../events/store-events.ts';
import { addActivityRoutes } from './activity-routes.ts';
import { addRoute } from './add-route.ts';
import { addDownloadRoutes, namedIn } from './download-routes.ts';
import { deletionAnswer, forceOf, partOf, waitOf } from './fleet-routes.ts';
import { healthOf } from './health-of.ts';
import { sendJson } from './json-cache.ts';
import { modelOf, selectorOf } from './model-of.ts';
import { addModelRoutes } from './model-routes.ts';
import { addOptimizeRoutes } from './optimize-routes.ts';
import { addOrderRoutes } from './order-routes.ts';
import { addUploadListRoutes } from './upload-routes.ts';

/** What the routes of a store need. */
export interface StoreApiOptions {
  readonly limits: Limits;
  readonly streams: EventStreams;
  readonly activity: Activity;
}

/** The models of the store, in the format of OpenAI. */
async function listOpenAi(deps: Deps): Promise<object> {
  const { entries } = await listRegistry(deps, { tags: [] });
  return { object: 'list', data: await mapYielding(entries, toOpenAiModel) };
}

/** The same at the path that tools of the Python program use for its API; the file server has its own list there. */
export function addModelList(app: FastifyInstance, deps: () => Promise<Deps>): void {
  const handler = async (_request: FastifyRequest, reply: FastifyReply) => sendJson(reply, await listOpenAi(await deps()));
  app.route({ method: 'GET', url: '/models', config: { role: 'read' }, schema: { hide: true }, handler });
}

/**
 * The routes about the store on every serving node (docs/http.md). Each calls the same operation as the command of its name.
 * @param deps called for each request, because a node may find its store later
 */
export function addStoreApi(app: FastifyInstance, deps: () => Promise<Deps>, { limits, streams, activity }: StoreApiOptions): void {
  addRoute(app, 'GET /store/health', async () => healthOf(await deps()));
  addRoute(app, 'GET /store/swarm', async () => (await (await deps()).swarms?.list()) ?? { swarms: [] });
  addRoute(app, 'GET /store/registry', async (_request, reply) => sendJson(reply, await listRegistry(await deps(), { tags: [] })));
  addRoute(app, 'GET /v1/models', async (_request, reply) => sendJson(reply, await listOpenAi(await deps())));
  const remove = async (request: FastifyRequest): Promise<object> => {
    const modelId = modelOf(request);
    const selector = 'selector' in (request.params as object) ? selectorOf(request) : undefined;
    const ref = { modelId, ...(selector !== undefined && { selector }) };
    request.log.info({ model: modelId, selector }, 'delete requested');
    return {
      modelId,
      deleted: true,
      ...deletionAnswer(await deleteModels(await deps(), { refs: [ref], force: forceOf(request), waitMs: waitOf(request) })),
    };
  };
  addRoute(app, 'DELETE /store/models/:id', remove);
  addRoute(app, 'DELETE /store/models/:id/quantizations/:selector', remove);
  addModelRoutes(app, deps, limits);
  addEventRoute(app, deps, streams);
  addUploadListRoutes(app, '/store/uploads', async () => {
    const known = await deps();
    return {
      list: async () => (await listUploads(known)).uploads,
      cancel: (id, options) => cancelUpload(known, { id, ...options }),
    };
  });
  addRoute(app, 'GET /store/downloads', async (request) =>
    listDownloads(await deps(), { recent: (request.query as { recent?: unknown }).recent === 'true' }),
  );
  addRoute(app, 'DELETE /store/downloads', async (request) => clearDownload(await deps(), namedIn(request)));
  addDownloadRoutes(app, '/store/models', {
    ask: async (request) => download(await deps(), { request, wait: false }),
    status: async (name) => downloadStatus(await deps(), name),
    cancel: async (name) => cancelDownload(await deps(), name),
  });
  addOptimizeRoutes(app, deps);
  addRoute(app, 'POST /store/purge-staging', async (request) => {
    const { model_id, modelId: sameId, selector: part, force = false, nodes: given } = request.body as PurgeBody;
    const named = model_id ?? sameId;
    if (model_id != null && sameId != null && model_id !== sameId)
      throw new SkulkError('BAD_REQUEST', 'model_id and modelId name different models', { hint: 'send only one of them' });
    const modelId = named == null ? undefined : parseModelId(named);
    const selector = partOf(named, part);
    const ref = modelId === undefined ? undefined : { modelId, ...(selector !== undefined && { selector }) };
    const nodeIds = given?.map(parseNodeId);
    request.log.info({ model: modelId, selector, force, nodes: nodeIds }, 'purge requested');
    const { order, freed_bytes, nodes } = await purgeEverywhere(await deps(), {
      refs: ref === undefined ? [] : [ref],
      force,
      nodes: nodeIds,
      waitMs: waitOf(request),
    });
    const done = nodes.filter(({ status }) => status === 'done').length;
    return {
      order,
      message: `${done} of ${nodes.length} nodes have purged ${ref === undefined ? 'their staged copies' : formatRef(ref)}`,
      freed_bytes,
      nodes,
    };
  });
  addOrderRoutes(app, deps);
  addRoute(app, 'GET /store/nodes', async () => listNodes(await deps()));
  addRoute(app, 'DELETE /store/nodes/:node', async (request) => {
    const node = parseNodeId((request.params as { node: string }).node);
    await forgetNode(await deps(), { name: node });
    request.log.info({ node }, 'node removed');
    return { node, forgotten: true };
  });
  addActivityRoutes(app, deps, activity);
}

/** `GET /store/events`. */
function addEventRoute(app: FastifyInstance, deps: () => Promise<Deps>, streams: EventStreams): void {
  const feeds = new WeakMap<Deps, Feed<StoreTopic>>();
  addRoute(app, 'GET /store/events', async (request, reply) => {
    const known = await deps();
    const feed = feeds.get(known) ?? createStoreFeed(known);
    feeds.set(known, feed);
    return streams.answer(request, reply, feed);
  });
}

/** Times in this list are seconds since 1970. */
function toOpenAiModel({ model_id, downloaded_at, files, total_bytes, ...entry }: DescribedEntry): OpenAiModels['data'][number] {
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
    parameters: entry.parameters,
    license: entry.license,
    size_bytes: total_bytes,
    files: files.length,
    ...(entry.problems !== undefined && { problems: entry.problems }),
  };
}
