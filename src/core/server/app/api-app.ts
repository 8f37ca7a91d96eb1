import type { FastifyInstance } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import type { StoreLink } from '../../connect/store-link.ts';
import type { HubBackend } from '../../endpoint/contract.ts';
import type { Registry } from '../../endpoint/registry/registry.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { OpenedCopyHub } from '../../operations/nodes/open-copy-hub.ts';
import { createStagingJobs, type StagingJobs } from '../../operations/stage/staging-jobs.ts';
import { createCopySender } from '../../operations/stage/together/send-copies.ts';
import type { StoreAdministration } from '../../operations/store/open-administration.ts';
import type { NodeIdentity } from '../../protocol/health.ts';
import type { LocalStore } from '../../store/local-store.ts';
import { type Access, createAccess } from '../access/access.ts';
import { type Activity, createActivity } from '../access/activity.ts';
import { createEventStreams } from '../events/event-stream.ts';
import { createFileSending } from '../routes/answer-file.ts';
import { addConfigRoutes } from '../routes/config-routes.ts';
import { forwardToStore } from '../routes/forward-to-store.ts';
import { addHubRoutes } from '../routes/hub/add-hub-routes.ts';
import { answerOnNode } from '../routes/hub/answer-on-node.ts';
import { createOrigins } from '../routes/hub/origins.ts';
import type { Patience } from '../routes/hub/silence.ts';
import { addNodeRoutes } from '../routes/node-routes.ts';
import { addModelList, addStoreApi } from '../routes/store-api.ts';
import { addStoreAccessRoutes } from '../routes/token-routes.ts';
import { createApp, type LogOptions } from './create-app.ts';
import { defaultLimits, type Limits } from './limits.ts';
import type { Restart } from './restart.ts';
import { addWebApp } from './web-app.ts';

/** What the API of a serving node needs. */
export interface ApiAppOptions extends LogOptions {
  /** The dependencies of this machine. */
  readonly deps: Deps;
  /** The connection of a node to its store; on the host, `deps` has the store. */
  readonly link?: StoreLink | undefined;
  readonly identity: () => NodeIdentity;
  /** The URL of the store, if it is known. */
  readonly storeUrl?: (() => string | null) | undefined;
  /** Restarts this server; if absent, a client cannot do that. */
  readonly restart?: Restart | undefined;
  /** Decides about rights; if absent, the LAN has the rights in the settings, and nobody has more. */
  readonly access?: Access | undefined;
  /** The named tokens and the policy, on the store host. */
  readonly administration?: StoreAdministration | undefined;
  /** The names of this machine beside its addresses. */
  readonly names?: readonly string[];
  /** The staging jobs of this node, from `stagingOf`; they end with the app. */
  readonly jobs?: StagingJobs;
  readonly limits?: Partial<Limits>;
  /** What was done lately; of its own when absent. */
  readonly activity?: Activity | undefined;
  /** The local store as a Hub; a node forwards to its store instead. */
  readonly hub?: { readonly backend: HubBackend; readonly registry: Registry; readonly store: LocalStore } | undefined;
  /** The copies of a node as a Hub, which it sends instead of the store's files. */
  readonly copies?: Omit<OpenedCopyHub, keyof AsyncDisposable> | undefined;
  /** How long the store of a node is waited for while Hub clients wait for the node. */
  readonly hubPatience?: Patience | undefined;
}

/**
 * The staging jobs of a node. They work like a command of this node: over the network, or by cloning from this disk. They also start
 * without a known store, because a model may come directly from Hugging Face.
 */
export const stagingOf = (deps: Deps, link: StoreLink | undefined): StagingJobs =>
  createStagingJobs(
    deps.world,
    async () => (await link?.deps().catch(() => undefined)) ?? deps,
    link === undefined ? undefined : createCopySender(deps.world, deps),
  );

/** The HTTP API of every serving node, and its browser view. */
export async function createApiApp({
  deps,
  link,
  jobs = stagingOf(deps, link),
  identity,
  storeUrl = () => null,
  restart,
  access = createAccess({ token: deps.config.settings.token.value }),
  administration,
  names,
  limits: given,
  activity = createActivity({ now: Date.now, fromHub: async () => 0 }),
  hub,
  copies,
  hubPatience: patience,
  logLevel,
  stream,
}: ApiAppOptions): Promise<FastifyInstance> {
  const limits = { ...defaultLimits, ...given };
  const app = await createApp({
    title: 'skulk',
    version: identity().version,
    limits,
    access,
    hostname: identity().hostname,
    names,
    activity,
    reword: rewordStoreFailure,
    storeUrl,
    logLevel,
    stream,
  });
  const streams = createEventStreams(app, limits);
  if (link !== undefined) forwardToStore(app, link);
  const ownStore = async (): Promise<Deps> => {
    await deps.store?.requireDisk?.();
    return deps;
  };
  addStoreApi(app, link?.deps ?? ownStore, { limits, streams, activity });
  app.addHook('preClose', async () => activity.close());
  addModelList(app, link?.deps ?? ownStore);
  app.addHook('preClose', () => jobs.close());
  const configListeners = new Set<() => void>();
  addNodeRoutes(app, deps, {
    identity,
    restart,
    jobs,
    streams,
    onConfig: (listener) => {
      configListeners.add(listener);
      return () => void configListeners.delete(listener);
    },
  });
  addConfigRoutes(app, deps, {
    onChanged: () => {
      for (const notify of configListeners) notify();
    },
  });
  if (administration !== undefined) addStoreAccessRoutes(app, { ...administration, access });
  const origins = createOrigins(access);
  const { nodeId } = deps.config;
  if (hub !== undefined) await addHubRoutes(app, { ...hub, sending: createFileSending(hub.store, limits, activity), origins, nodeId });
  else if (link !== undefined && copies !== undefined) {
    const sending = createFileSending(nothingRemoved, limits, activity);
    const passOn = answerOnNode(link, { origins, copies, sending, nodeId, patience });
    await addHubRoutes(app, { backend: copies.backend, registry: copies.registry, sending, origins, passOn, nodeId });
  }
  addWebApp(app);
  return app;
}

/** A copy that is removed during a transfer leaves the open file to its reader. The remover has seen the lease, or was forced. */
const nothingRemoved: Parameters<typeof createFileSending>[0] = {
  openFile: async () => {
    throw new Error('files of copies are opened by their own Hub');
  },
  onRemoved: () => undefined,
};

/** These two sentences are part of the contract. Further details follow them, or go into the hint. */
function rewordStoreFailure(error: unknown): unknown {
  if (!(error instanceof SkulkError)) return error;
  const { code, message, hint, retryAfterMs } = error;
  if (code === 'STORE_NOT_CONFIGURED') return new SkulkError(code, 'Store not configured', { hint: hint ?? message, cause: error });
  if (code === 'STORE_UNREACHABLE') return new SkulkError(code, `Store unreachable: ${message}`, { hint, retryAfterMs, cause: error });
  return error;
}
