import type { FastifyInstance } from 'fastify';
import { type KeyNews, prepareAdminKey } from '../../access/admin-key.ts';
import { closeHome, requireOwnHome } from '../../access/close-home.ts';
import { createPageKeys } from '../../access/page-keys.ts';
import { pageLink } from '../../access/page-link.ts';
import { recordServer } from '../../access/serve-record.ts';
import { advertisedAddress, checkAdvertise, warnOfInternet } from '../../connect/advertise.ts';
import { decideRole } from '../../connect/decide-role.ts';
import type { Deps } from '../../connect/deps.ts';
import { ownNames } from '../../connect/own-names.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import type { SkulkEvent } from '../../kernel/flow/events.ts';
import { ensureNodeId, type NodeId } from '../../kernel/machine/node-id.ts';
import { keepLeases } from '../../node/keep-leases.ts';
import { startAgent } from '../../operations/nodes/fleet-agent.ts';
import { reconcile } from '../../operations/nodes/reconcile.ts';
import { warnOfUnit } from '../../operations/service/keep-unit.ts';
import type { StagingJobs } from '../../operations/stage/staging-jobs.ts';
import { createApiApp, stagingOf } from './api-app.ts';
import { readHandover, writeHandover } from './handover.ts';
import { keepHeapSmall } from './keep-heap-small.ts';
import { listen, nameOtherStore, nameOwnServer } from './listen.ts';
import { createRestart } from './restart.ts';
import { serveHost } from './serve-host.ts';
import { serveNode } from './serve-node.ts';
import type { Served, ServeRequest, Serving } from './serving.ts';
import { stopApp } from './stop-app.ts';

/** Called once, when everything is ready. */
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
const everywhere = '0.0.0.0';

/**
 * Serves until `world.signal` aborts: on the store host the files and the API, elsewhere the API.
 * @param onReady called once, with a function that makes a link to the page with the role admin
 * @returns if a client asked for a restart, the handover for `request.replacement`
 * @throws SkulkError LOCKED, PORT_IN_USE, CONFIG, PERMISSION, USAGE
 */
export async function serve(
  given: Deps,
  request: ServeRequest,
  onReady: (ready: Ready, makeLink: () => string) => void,
): Promise<string | undefined> {
  keepHeapSmall();
  const { world } = given;
  const config = await decideRole(given.config, request.role);
  const { settings, isStoreHost: isHost } = config;
  await closeHome(config.skulkHome, (path) =>
    world.emit({
      type: 'warning',
      message: `every user of this machine can write to ${path}, and can therefore replace the key of this machine`,
      hint: `run chmod o-w ${path}, or set SKULK_HOME to a directory of your own`,
    }),
  );
  await requireOwnHome(config.skulkHome);
  const nodeId = await ensureNodeId(config.skulkHome, world.env['SKULK_NODE_ID']);
  checkAdvertise(given);
  const machineKey = await prepareAdminKey(config.skulkHome, (path, news) => world.emit({ type: 'warning', ...aboutKey[news](path) }));
  const left = readHandover(request.replacement?.handover);
  const pages = createPageKeys({ kept: left.pages });
  await warnOfUnit(given);
  const apps: FastifyInstance[] = [];
  const deps: Deps = {
    world: { ...world, emit: (event) => (apps[0] === undefined ? world.emit(event) : logEvent(apps[0], event)) },
    config: { ...config, nodeId },
    connections: given.connections,
  };
  const ends: (() => Promise<unknown>)[] = [];
  let apiPort: number | undefined;
  let storePort: number | null = null;
  const restart = createRestart(deps, request);
  const advertised = () => advertisedAddress(deps, { listen: request.host });
  const serving: Serving = {
    deps,
    // Clients find a restarted server where it was.
    request: request.port === 0 && left.port !== null ? { ...request, port: left.port } : request,
    nodeId,
    keys: { adminKey: machineKey.key, pages },
    names: await ownNames(deps.config),
    outside: (url) => {
      const { host, isRoutable } = advertised();
      return isRoutable ? url.replace('127.0.0.1', host) : url;
    },
    listenWith: async (app, port) => {
      apps.push(app);
      // Both are stopped together, so that the server ends in time.
      if (apps.length === 1) ends.push(() => Promise.all(apps.map((one) => stopApp(one, { graceMs }))));
      return await listen(app, { host: request.host ?? everywhere, port }).catch(async (error: unknown) => {
        const named = await nameOwnServer(config.skulkHome, error, port);
        throw named === error ? await nameOtherStore(deps, error, port) : named;
      });
    },
    apiPort: () => apiPort,
    atEnd: (work) => void ends.push(work),
  };
  try {
    const served = isHost ? await serveHost(serving, world.emit) : await serveNode(serving, world.emit);
    // A node would have to ask its store, which may be unreachable.
    if (!isHost || (await served.access?.lan()) !== 'none') warnOfInternet({ ...deps, world }, { listen: request.host });
    const jobs = stagingOf(served.deps, served.link);
    const api = await createApiApp({
      jobs,
      deps: served.deps,
      link: served.link,
      access: served.access,
      administration: served.administration,
      activity: served.activity,
      hub: served.hub,
      copies: served.copies,
      identity: () => {
        const { host, isRoutable } = advertised();
        const preferred_address = isRoutable ? host : null;
        return {
          hostname: world.hostname,
          node_id: nodeId,
          preferred_address,
          version: world.version,
          role: isHost ? 'store' : 'node',
          can_restart: restart !== undefined,
        };
      },
      storeUrl: () => served.link?.url() ?? served.storeUrl,
      restart,
      names: serving.names,
      logLevel: request.logLevel,
      stream: request.logStream,
    });
    const { url, port } = await serving.listenWith(
      api,
      (request.apiPort === 0 ? left.apiPort : undefined) ?? request.apiPort ?? settings.apiPort.value,
    );
    apiPort = port;
    await machineKey.keep();
    await served.onReady?.();
    void tidyUp(deps);
    serving.atEnd(keepLeases(deps));
    if (served.fleet !== undefined) serving.atEnd(beAgent(deps, { nodeId, jobs, fleet: served.fleet }));
    const ready: Ready = {
      event: 'ready',
      role: isHost ? 'store' : 'node',
      store_url: served.storeUrl,
      api_url: serving.outside(url),
      store_path: served.storePath,
      node_id: nodeId,
      pid: process.pid,
    };
    const stores = served.localStoreUrl === undefined ? [] : [served.localStoreUrl, serving.outside(served.localStoreUrl)];
    const forget = await recordServer(config.skulkHome, {
      role: ready.role,
      storePath: served.storePath,
      apiUrl: ready.api_url,
      localApiUrl: url,
      urls: [...stores, url, ready.api_url],
    });
    ends.push(forget);
    onReady(ready, () => pageLink(ready.api_url, pages.makeCode().code));
    const reasons = [world.signal, restart?.signal, served.lost].filter((signal) => signal !== undefined);
    await aborted(AbortSignal.any(reasons));
    if (served.lost?.aborted === true) throw stopServing(deps, served.lost.reason);
    storePort = served.localStoreUrl === undefined ? null : Number(new URL(served.localStoreUrl).port);
  } finally {
    for (const end of ends.toReversed()) await end();
  }
  // A signal during the stop means that the server is to end.
  if (restart?.signal.aborted !== true || world.signal.aborted) {
    deps.world.emit({ type: 'note', message: 'the server has stopped' });
    return undefined;
  }
  return writeHandover({ port: storePort, apiPort: apiPort ?? null, pages: pages.digests() });
}

/** The warnings about the file with the key of this machine. */
const aboutKey: Readonly<Record<KeyNews, (path: string) => { readonly message: string; readonly hint?: string }>> = {
  replaced: (path) => ({ message: `other users could read ${path}, so the key of this machine was replaced` }),
  unprotected: (path) => ({
    message: `other users may be able to read ${path}, the key of this machine, because its disk does not keep the modes of files`,
    hint: 'set SKULK_HOME to a directory on another disk; the store and the staged copies may stay',
  }),
};

/** Carries out the store's orders. @returns a function that stops it */
function beAgent(
  deps: Deps,
  { nodeId, jobs, fleet }: { nodeId: NodeId; jobs: StagingJobs; fleet: NonNullable<Served['fleet']> },
): () => Promise<unknown> {
  const ending = new AbortController();
  const { signal } = ending;
  const work = fleet(signal).then((found) => startAgent(deps, { fleet: found, nodeId, jobs, signal }));
  const ended = work.catch((error: unknown) => {
    if (!signal.aborted) deps.world.emit({ type: 'warning', message: describeFailure('the agent of this node ended', error) });
  });
  return () => {
    ending.abort(new SkulkError('TERMINATED', 'the server is stopping'));
    return ended;
  };
}

/** The cleanup of a node at its start; nothing waits for it, and errors are only reported. */
async function tidyUp(deps: Deps): Promise<void> {
  const { emit } = deps.world;
  try {
    const { evicted, failed } = await reconcile(deps, { dryRun: false, receiveOrders: false });
    for (const { model_id, size_bytes } of evicted) emit({ type: 'note', message: `evicted ${model_id}, ${size_bytes} bytes` });
    for (const { message, hint } of failed) emit({ type: 'warning', message, hint });
  } catch (error) {
    if (!deps.world.signal.aborted) emit({ type: 'warning', message: describeFailure('cannot clean up the staged copies', error) });
  }
}

/** Another process serves the store now. Further writes by this one would be lost or damage the other's. */
function stopServing({ world }: Deps, lost: unknown): unknown {
  world.emit({ type: 'warning', message: `the server is stopping: ${lost instanceof Error ? lost.message : String(lost)}` });
  return lost;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

function logEvent(app: FastifyInstance, event: SkulkEvent): void {
  if (event.type === 'warning') app.log.warn({ hint: event.hint }, event.message);
  else if (event.type === 'note' || event.type === 'waiting') app.log.info(event.message);
}
