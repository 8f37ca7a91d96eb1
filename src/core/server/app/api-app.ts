import type { FastifyInstance } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import type { StoreLink } from '../../connect/store-link.ts';
import type { HubBackend } from '../../endpoint/contract.ts';
import type { Registry } from '../../endpoint/registry/registry.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { OpenedCopyHub } from '../../operations/nodes/open-copy-hub.ts';
import { createStagingJobs } from '../../operations/stage/staging-jobs.ts';
import type { StoreAdministration } from '../../operations/store/open-administration.ts';
import type { NodeIdentity } from '../../protocol/health.ts';
import type { LocalStore } from '../../store/contract.ts';
import { type Access, createAccess } from '../access/access.ts';
import { createEventStreams } from '../events/event-stream.ts';
import { createFileSending } from '../routes/answer-file.ts';
import { addConfigRoutes } from '../routes/config-routes.ts';
import { forwardToStore } from '../routes/forward-to-store.ts';
import { addHubRoutes } from '../routes/hub/add-hub-routes.ts';
import { answerOnNode } from '../routes/hub/answer-on-node.ts';
import { createOrigins } from '../routes/hub/origins.ts';
import { addNodeRoutes } from '../routes/node-routes.ts';
import { addModelList, addStoreApi } from '../routes/store-api.ts';
import { addStoreAccessRoutes } from '../routes/token-routes.ts';
import { createApp, type LogOptions } from './create-app.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { addWebApp } from './web-app.ts';

/** What the API of a serving node needs. */
export interface ApiAppOptions extends LogOptions {
  /** Of this machine. */
  readonly deps: Deps;
  /** Of a node that is not the store host; on the host `deps` has the store. */
  readonly link?: StoreLink | undefined;
  readonly identity: () => NodeIdentity;
  /** Who may do what; without it the LAN what the settings say, and nobody more. */
  readonly access?: Access | undefined;
  /** The named tokens and the policy, on the store host. */
  readonly administration?: StoreAdministration | undefined;
  /** What this machine is called beside its addresses. */
  readonly names?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** What the store of this machine is as a Hub; on a node the store is asked. */
  readonly hub?: { readonly backend: HubBackend; readonly registry: Registry; readonly store: LocalStore } | undefined;
  /** The copies of a node as a Hub, which it sends instead of the store. */
  readonly copies?: Omit<OpenedCopyHub, keyof AsyncDisposable> | undefined;
}

/** The HTTP API that every serving node has, and the browser view of it. */
export async function createApiApp({
  deps,
  link,
  identity,
  access = createAccess({ token: deps.config.settings.token.value }),
  administration,
  names,
  limits: given,
  hub,
  copies,
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
    reword: rewordStoreFailure,
    logLevel,
    stream,
  });
  const streams = createEventStreams(app, limits);
  if (link !== undefined) forwardToStore(app, link);
  const ownStore = async (): Promise<Deps> => {
    await deps.store?.requireDisk?.();
    return deps;
  };
  addStoreApi(app, link?.deps ?? ownStore, { limits, streams });
  addModelList(app, link?.deps ?? ownStore);
  // They work as a command of this node does: over the wire, or by a clone of what lies on this disk.
  // Without a store a model may come straight from Hugging Face, so that none is known is no reason not to begin.
  const jobs = createStagingJobs(deps.world, async () => (await link?.deps().catch(() => undefined)) ?? deps);
  app.addHook('preClose', () => jobs.close());
  const configListeners = new Set<() => void>();
  addNodeRoutes(app, deps, {
    identity,
    jobs,
    streams,
    onConfig: (listener) => {
      configListeners.add(listener);
      return () => void configListeners.delete(listener);
    },
  });
  addConfigRoutes(app, deps, {
    onChanged: () => {
      for (const tell of configListeners) tell();
    },
  });
  if (administration !== undefined) addStoreAccessRoutes(app, { ...administration, access });
  const origins = createOrigins(access);
  const { nodeId } = deps.config;
  if (hub !== undefined) await addHubRoutes(app, { ...hub, sending: createFileSending(hub.store, limits), origins, nodeId });
  else if (link !== undefined && copies !== undefined) {
    const sending = createFileSending(nothingRemoved, limits);
    const passOn = answerOnNode(link, { origins, copies, sending, nodeId });
    await addHubRoutes(app, { backend: copies.backend, registry: copies.registry, sending, origins, passOn, nodeId });
  }
  addWebApp(app);
  return app;
}

/** A copy that is removed while it is sent leaves the reader the file that is open: who removes it has seen the lease, or did not care. */
const nothingRemoved: Parameters<typeof createFileSending>[0] = {
  openFile: async () => {
    throw new Error('files of copies are opened by their own Hub');
  },
  onRemoved: () => undefined,
};

/** These two sentences are part of the contract; what is known beyond them follows, or goes into the hint. */
function rewordStoreFailure(error: unknown): unknown {
  if (!(error instanceof SkulkError)) return error;
  const { code, message, hint, retryAfterMs } = error;
  if (code === 'STORE_NOT_CONFIGURED') return new SkulkError(code, 'Store not configured', { hint: hint ?? message, cause: error });
  if (code === 'STORE_UNREACHABLE') return new SkulkError(code, `Store unreachable: ${message}`, { hint, retryAfterMs, cause: error });
  return error;
}
