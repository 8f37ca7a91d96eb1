import { networkInterfaces } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { effectiveConfig } from '../config/describe.ts';
import type { DownloadQueue } from '../jobs/download-queue.ts';
import { SkulkError } from '../kernel/errors.ts';
import type { SkulkEvent } from '../kernel/events.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { ensureNodeId } from '../kernel/node-id.ts';
import { chooseRoutableAddress, isPublicAddress, lanAddresses } from '../network/routable-address.ts';
import { deleteModels } from '../operations/delete-models.ts';
import type { Deps } from '../operations/deps.ts';
import { findOnlyStore, mayUseMdns } from '../operations/discover.ts';
import { openHostFleet, startAgent } from '../operations/fleet-agent.ts';
import { createHostDownloads } from '../operations/host-downloads.ts';
import { type OpenedStore, openHostStore, openStore, remoteUrl } from '../operations/open-store.ts';
import { reconcile } from '../operations/reconcile.ts';
import { createApiApp } from './api-app.ts';
import { deletionAnswer } from './fleet-routes.ts';
import { listen } from './listen.ts';
import { stopApp } from './stop-app.ts';
import { createStoreApp } from './store-app.ts';

/** What `skulk serve` takes. */
export interface ServeRequest {
  readonly role: 'auto' | 'store' | 'node';
  /** Address to listen on; every one when absent. */
  readonly host?: string;
  /** 0 picks a free one. */
  readonly port?: number;
  readonly apiPort?: number;
  readonly logLevel: string;
  /** Whether a store is announced by mDNS. */
  readonly mdns: boolean;
}

/** Told once, when everything answers. */
export interface Ready {
  readonly event: 'ready';
  readonly role: 'store' | 'node';
  readonly store_url: string | null;
  readonly api_url: string;
  readonly store_path: string | null;
  readonly node_id: string;
  readonly pid: number;
}

const graceMs = 10_000;

/**
 * Serves until `world.signal` aborts: on the store host the files and the API, elsewhere the API.
 * @throws SkulkError LOCKED, PORT_IN_USE, CONFIG, PERMISSION
 */
export async function serve(deps: Deps, request: ServeRequest, onReady: (ready: Ready) => void): Promise<void> {
  const { world, config } = deps;
  const { settings } = config;
  const nodeId = await ensureNodeId(config.skulkHome, world.env['SKULK_NODE_ID']);
  const isHost = request.role === 'store' || (request.role === 'auto' && config.isStoreHost && settings.enabled.value);
  if (request.role === 'store' && !settings.enabled.value)
    throw new SkulkError('STORE_NOT_CONFIGURED', 'the store is switched off (model_store.enabled is false)', {
      hint: 'set it to true, or serve with --role node',
    });
  const apps: FastifyInstance[] = [];
  const log = (event: SkulkEvent): void => logEvent(apps[0], event);
  const told: Deps = { world: { ...world, emit: log }, config: { ...config, nodeId, isStoreHost: isHost } };
  const serving = isHost || !request.mdns ? told : await withFoundStore(told);
  let downloads: DownloadQueue | undefined;
  const isBusy = (modelId: ModelId): string | undefined => (downloads?.isActive(modelId) === true ? 'downloaded' : undefined);
  const opened = isHost ? await openHostStore(serving, { isBusy }) : undefined;
  if (opened !== undefined) downloads = createHostDownloads(serving, opened.store);
  const hostFleet = opened === undefined ? undefined : openHostFleet(serving, opened.store);
  const ending = new AbortController();
  let agent: Promise<void> | undefined;
  let announcement: ReturnType<typeof announce> | undefined;
  try {
    const address = request.host ?? '0.0.0.0';
    const routable = chooseRoutableAddress(networkInterfaces(), settings.storeHttpHost.value);
    const outside = (url: string): string =>
      request.host === undefined && routable !== undefined ? url.replace('127.0.0.1', routable) : url;
    const names = [world.hostname, nodeId, settings.storeHost.value, settings.storeHttpHost.value].filter((name) => name !== undefined);
    warnOfInternet(serving, request.host);
    let storeUrl = settings.enabled.value ? remoteUrl(serving.config) : undefined;
    const named = settings.storeUrl.origin;
    if (!isHost && named.from === 'environment') {
      world.emit({
        type: 'warning',
        message: `${named.name} names the store ${storeUrl}, so this machine serves as a node of it`,
        hint: `unset ${named.name}, or say --role store`,
      });
    }
    if (opened !== undefined && downloads !== undefined) {
      const app = await createStoreApp({
        store: opened.store,
        downloads,
        uploads: opened.uploads,
        fleet: hostFleet,
        remove: async (modelId, { force, waitMs }) =>
          deletionAnswer(
            await deleteModels(
              { ...serving, store: opened.store, ...(hostFleet !== undefined && { fleet: hostFleet }) },
              { modelIds: [modelId], force, waitMs },
            ),
          ),
        version: world.version,
        logLevel: request.logLevel,
        token: settings.token.value,
        names,
      });
      apps.push(app);
      const { url } = await listen(app, { host: address, port: request.port ?? settings.storePort.value });
      await opened.setUrl(url);
      storeUrl = outside(url);
    }
    const remote = opened === undefined ? await remoteStore(serving) : undefined;
    const store = opened?.store ?? remote?.store;
    const served = downloads ?? (await remote?.downloads());
    const fleet = hostFleet ?? (await remote?.fleet());
    const api = await createApiApp({
      deps: {
        ...serving,
        ...(store !== undefined && { store }),
        ...(served !== undefined && { downloads: served }),
        ...(fleet !== undefined && { fleet }),
      },
      identity: {
        hostname: world.hostname,
        node_id: nodeId,
        preferred_address: routable ?? null,
        version: world.version,
        role: isHost ? 'store' : 'node',
      },
      effectiveConfig: () => effectiveConfig(config),
      names,
      logLevel: request.logLevel,
    });
    apps.push(api);
    const { url: apiUrl } = await listen(api, { host: address, port: request.apiPort ?? settings.apiPort.value });
    opened?.store.hashInBackground();
    await downloads?.resume();
    if (opened !== undefined && request.mdns)
      announcement = announce(serving, { host: request.host, address: routable, url: storeUrl, nodeId });
    void tidyUp(serving);
    if (fleet !== undefined) agent = startAgent(serving, { fleet, nodeId, signal: ending.signal });
    onReady({
      event: 'ready',
      role: isHost ? 'store' : 'node',
      store_url: storeUrl ?? null,
      api_url: outside(apiUrl),
      store_path: opened?.store.root ?? null,
      node_id: nodeId,
      pid: process.pid,
    });
    await aborted(world.signal);
  } finally {
    ending.abort(new SkulkError('TERMINATED', 'the server ends'));
    await Promise.all(apps.map((app) => stopApp(app, { graceMs })));
    await agent;
    await (await announcement)?.stop();
    await downloads?.close();
    await opened?.store.close();
  }
}

/** A node that nobody told which store to use takes the only one that announces itself. */
async function withFoundStore(deps: Deps): Promise<Deps> {
  const { config, world } = deps;
  if (config.isStoreNamed || !config.settings.enabled.value || remoteUrl(config) !== undefined) return deps;
  const url = await findOnlyStore(deps);
  if (url === undefined) return deps;
  world.emit({ type: 'note', message: `this node uses the store ${url}` });
  const storeUrl = { value: url, origin: { from: 'default' } } as const;
  return { ...deps, config: { ...config, settings: { ...config.settings, storeUrl } } };
}

/** Without a token whoever reaches this machine may delete models. */
function warnOfInternet({ config, world }: Deps, host: string | undefined): void {
  if (config.settings.token.value !== undefined) return;
  const listening = host === undefined || host === '0.0.0.0' || host === '::' ? lanAddresses(networkInterfaces()) : [host];
  const open = listening.find(isPublicAddress);
  if (open === undefined) return;
  world.emit({
    type: 'warning',
    message: `${open} may be reached from the internet, and no token is set: whoever reaches it may read and delete models`,
    hint: 'set SKULK_TOKEN or model_store.auth.token, or serve on an address of the LAN with --host',
  });
}

/** Announces a store that other machines can reach; undefined for one that they cannot. */
async function announce(
  deps: Deps,
  { host, address, url, nodeId }: { host: string | undefined; address: string | undefined; url: string | undefined; nodeId: string },
): Promise<{ stop(): Promise<void> } | undefined> {
  const at = host === undefined || host === '0.0.0.0' || host === '::' ? address : chooseRoutableAddress({}, host);
  if (at === undefined || url === undefined || !mayUseMdns(deps)) return undefined;
  const { hostname, version, emit } = deps.world;
  try {
    const { announceStore } = await import('../network/mdns.ts');
    return announceStore({ hostname, nodeId, version, address: at, port: Number(new URL(url).port) }, (message) =>
      emit({ type: 'warning', message }),
    );
  } catch (error) {
    emit({ type: 'warning', message: `the store is not announced by mDNS: ${String(error)}` });
    return undefined;
  }
}

/** A node that starts tidies up; nobody waits for it, and what goes wrong is only said. */
async function tidyUp(deps: Deps): Promise<void> {
  const { emit } = deps.world;
  try {
    const { evicted, failed } = await reconcile(deps, { dryRun: false, hearOrders: false });
    for (const { model_id, size_bytes } of evicted) emit({ type: 'note', message: `evicted ${model_id}, ${size_bytes} bytes` });
    for (const { message, hint } of failed) emit({ type: 'warning', message, hint });
  } catch (error) {
    if (!deps.world.signal.aborted) emit({ type: 'warning', message: `the staged copies were not tidied up: ${String(error)}` });
  }
}

/** One client for the life of a node; undefined when no store is configured, which every request then reports. */
async function remoteStore(deps: Deps): Promise<OpenedStore | undefined> {
  return remoteUrl(deps.config) === undefined || !deps.config.settings.enabled.value ? undefined : await openStore(deps);
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

function logEvent(app: FastifyInstance | undefined, event: SkulkEvent): void {
  if (event.type === 'warning') app?.log.warn({ hint: event.hint }, event.message);
  else if (event.type === 'note' || event.type === 'waiting') app?.log.info(event.message);
}
