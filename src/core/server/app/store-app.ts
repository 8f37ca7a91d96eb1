import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import type { HubBackend } from '../../endpoint/contract.ts';
import { createHostHub } from '../../endpoint/held/host-hub.ts';
import type { Registry } from '../../endpoint/registry/registry.ts';
import type { Fleet } from '../../fleet/contract.ts';
import type { Downloads } from '../../jobs/contract.ts';
import type { DownloadQueue } from '../../jobs/download-queue.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { isNodeId } from '../../kernel/machine/node-id.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import { deleteModels } from '../../operations/models/delete-models.ts';
import type { StoreAdministration } from '../../operations/store/open-administration.ts';
import { openRegistry } from '../../operations/store/open-registry.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { HostUploads } from '../../store/upload-contract.ts';
import type { HostSwarms } from '../../swarm/host-swarms.ts';
import { type Access, createAccess } from '../access/access.ts';
import { type Activity, createActivity } from '../access/activity.ts';
import { createEventStreams } from '../events/event-stream.ts';
import { addRoute } from '../routes/add-route.ts';
import { createFileSending } from '../routes/answer-file.ts';
import { addChunkRoutes } from '../routes/chunk-routes.ts';
import { addDownloadRoutes, namedIn } from '../routes/download-routes.ts';
import { addFileRoutes } from '../routes/file-routes.ts';
import { addFleetRoutes, deletionAnswer } from '../routes/fleet-routes.ts';
import { addHubRoutes } from '../routes/hub/add-hub-routes.ts';
import { createOrigins } from '../routes/hub/origins.ts';
import { sendJson } from '../routes/json-cache.ts';
import { addStoreApi } from '../routes/store-api.ts';
import { addSwarmRoutes } from '../routes/swarm-routes.ts';
import { addStoreAccessRoutes } from '../routes/token-routes.ts';
import { addUploadRoutes } from '../routes/upload-routes.ts';
import { addWorkRoutes } from '../routes/work-routes.ts';
import { createApp, type LogOptions } from './create-app.ts';
import { defaultLimits, type Limits } from './limits.ts';

/** What the file server of a store host needs. */
export interface StoreAppOptions extends LogOptions {
  readonly store: LocalStore;
  /** If absent, other machines cannot upload models. */
  readonly uploads?: HostUploads | undefined;
  /** If absent, nothing is downloaded. */
  readonly downloads?: DownloadQueue | undefined;
  /** If absent, there are no nodes. */
  readonly fleet?: Fleet | undefined;
  /** The server's dependencies, including this store. If absent, a model is only deleted here. */
  readonly deps?: Deps | undefined;
  readonly version: string;
  readonly limits?: Partial<Limits>;
  /** The names of this machine beside its addresses. */
  readonly names?: readonly string[] | undefined;
  /** Decides about rights; if absent, the LAN has the role of a node. */
  readonly access?: Access | undefined;
  /** The named tokens and the policy of this store. */
  readonly administration?: StoreAdministration | undefined;
  readonly hostname?: string | undefined;
  /** What was done lately; of its own when absent. */
  readonly activity?: Activity | undefined;
  /** If absent, nodes take every model from this store alone. */
  readonly swarms?: HostSwarms | undefined;
  /** This store as a Hub; if absent, without fetching missing files. */
  readonly hub?: HubBackend | undefined;
  /** This store as a registry for Ollama and llama.cpp. */
  readonly registry?: Registry | undefined;
  /** The port of this machine's page, after it is open. */
  readonly pagePort?: () => number | undefined;
}

/** The store host's file server. It has no policy of its own, and answers with the store's data. */
export async function createStoreApp({
  store,
  downloads,
  uploads,
  swarms,
  fleet,
  deps,
  version,
  limits: given,
  access = createAccess({}),
  administration,
  hostname = 'this machine',
  names,
  activity = createActivity({ now: Date.now, fromHub: async () => 0 }),
  hub = createHostHub({ store }),
  registry = openRegistry(store, hub),
  pagePort = () => undefined,
  logLevel,
  stream,
}: StoreAppOptions): Promise<FastifyInstance> {
  const limits = { ...defaultLimits, ...given };
  const app = await createApp({ title: 'skulk store', version, limits, access, hostname, names, activity, logLevel, stream });
  app.addHook('preClose', async () => activity.close());
  // While the disk is not mounted, the content of the mount point must not be served.
  app.addHook('onRequest', () => store.requireDisk());
  addRoute(app, 'GET /health', () => store.health());
  addRoute(app, 'GET /registry', async (_request, reply) => sendJson(reply, await store.listDescribed()));
  addRoute(app, 'GET /models', async () => (await store.listModels()).map(({ model_id }) => model_id));
  addDownloads(app, downloads ?? nothingIsFetched);
  if (downloads !== undefined) addChunkRoutes(app, { downloads, root: store.root, limits });
  const sending = createFileSending(store, limits, activity);
  addFileRoutes(app, {
    swarms,
    store,
    sending,
    downloadStatus: (name) => (downloads ?? nothingIsFetched).status(name),
    remove: async (ref, { force, waitMs }) =>
      deps === undefined ? removeAlone(store, ref, force) : deletionAnswer(await deleteModels(deps, { refs: [ref], force, waitMs })),
    hasOrders: async (nodeId) => fleet !== undefined && isNodeId(nodeId) && (await fleet.expects(nodeId)),
  });
  if (fleet !== undefined) addFleetRoutes(app, fleet, { limits, activity, ownId: deps?.config.nodeId });
  if (administration !== undefined) addStoreAccessRoutes(app, { ...administration, access });
  if (uploads !== undefined) addUploadRoutes(app, { uploads, limits });
  if (swarms !== undefined) addSwarmRoutes(app, swarms);
  addWorkRoutes(app, { store, intervalMs: limits.progressIntervalMs });
  // Nodes forward their requests about the store to this port.
  if (deps !== undefined) addStoreApi(app, async () => deps, { limits, streams: createEventStreams(app, limits), activity });
  await addHubRoutes(app, {
    backend: hub,
    registry,
    sending,
    origins: createOrigins(access),
    nodeId: deps?.config.nodeId,
    pageOf: (request) => pageUrl(request, pagePort()),
  });
  return app;
}

/** The URL of this machine's page for the target of a request, with the host name of the request. */
function pageUrl({ headers: { host = '' }, protocol, originalUrl }: FastifyRequest, port: number | undefined): string | undefined {
  const name = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?=:\d{1,5}$|$)/.exec(host)?.[0];
  return name === undefined || port === undefined ? undefined : `${protocol}://${name}:${port}${new URL(originalUrl, 'http://a').pathname}`;
}

/** Deletes from a store without nodes. */
async function removeAlone(store: LocalStore, { modelId, selector: named }: ModelRef, force: boolean): Promise<object> {
  if (named === undefined) return { freed_bytes: (await store.remove(modelId, { force })).freedBytes, nodes: [] };
  const planned = await store.planRemoval(modelId, named);
  const { freedBytes } = await store.removeQuantization(modelId, { ...planned, force });
  return { selector: planned.selector, freed_bytes: freedBytes, nodes: [] };
}

function addDownloads(app: FastifyInstance, downloads: Downloads): void {
  addRoute(app, 'GET /downloads', (request) => downloads.list({ recent: (request.query as { recent?: unknown }).recent === 'true' }));
  addRoute(app, 'DELETE /downloads', (request) => downloads.clear(namedIn(request)));
  addDownloadRoutes(app, '/models', {
    ask: (request) => downloads.ask(request),
    // A model may have a file with that name, so the route of the files answers.
    status: undefined,
    cancel: (modelId) => downloads.cancel(modelId),
  });
}

const noJob = async (): Promise<never> => {
  throw new SkulkError('JOB_NOT_FOUND', 'this store does not download');
};

const nothingIsFetched: Downloads = {
  ask: async () => {
    throw new SkulkError('HUB_OFFLINE', 'this store does not download');
  },
  status: noJob,
  list: async () => [],
  cancel: noJob,
  clear: async () => ({ cleared: 0 }),
  arrived: async (_, from) => ({ run: null, from, chunks: [] }),
  readArrived: () => {
    throw new SkulkError('JOB_NOT_FOUND', 'this store does not download');
  },
};
