import { parseCompanions } from '../catalog/companions.ts';
import { parseProblems } from '../catalog/contents/problem-header.ts';
import { parseManifest } from '../catalog/manifest.ts';
import type { Fleet } from '../fleet/contract.ts';
import type { Downloads, Optimizations } from '../jobs/contract.ts';
import { isErrorCode, SkulkError } from '../kernel/errors.ts';
import { parseRelativePath } from '../kernel/files/relative-path.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import { formatRef, type ModelId } from '../kernel/model-id.ts';
import { decode } from '../protocol/decode.ts';
import { errorBody } from '../protocol/errors.ts';
import type { AuditList, EvictionsBody } from '../protocol/events.ts';
import { deleted } from '../protocol/fleet.ts';
import { hashing } from '../protocol/manifest.ts';
import { type Adopted, adopted, type RegistryEntry, type VerifyReport, verifyReport } from '../protocol/models.ts';
import { callOf } from '../protocol/routes/call.ts';
import type { SwarmList } from '../protocol/staging.ts';
import type { ManifestAnswer, ManifestOptions, Store, WorkOptions } from '../store/contract.ts';
import type { ListedModel } from '../store/listed-contract.ts';
import type { Uploads } from '../store/upload-contract.ts';
import { type AccessClient, createAccessClient } from './access-client.ts';
import { type AskedAudit, askAudit } from './ask-audit.ts';
import { askPlace } from './ask-place.ts';
import { askSwarms } from './ask-swarms.ts';
import { createDownloadsClient } from './downloads-client.ts';
import { createFleetClient } from './fleet-client.ts';
import { type Call, createExchange, type Exchange } from './http/exchange.ts';
import { type FindByName, lookupOfStore } from './http/lookup-of-store.ts';
import { clean, mapRefusal, notAStore, retryAfterOf } from './http/map-failure.ts';
import type { ProbeOutcome } from './http/probe-connection.ts';
import { describedOf, readAnswer, registryOf } from './http/read-answer.ts';
import { readJson, readLines } from './http/read-body.ts';
import { readHealth } from './http/read-health.ts';
import type { TokenGuard } from './http/token-guard.ts';
import { createTransport, type Response, type Transport } from './http/transport.ts';
import type { Watchdog } from './http/watchdog.ts';
import { listenForNews, type StoreNews } from './news-client.ts';
import { type AskNotInStore, type AskOffer, askNotInStore, askOffer } from './offer-client.ts';
import { createOptimizationsClient } from './optimizations-client.ts';
import { createListedFiles, describeListed, isPythonStore } from './python-store.ts';
import { readPiece } from './read-piece.ts';
import { refuseForOther } from './refuse-for-other.ts';
import { createSwarmClient } from './swarm-client.ts';
import { createUploadsClient, whyNotAdopted } from './uploads-client.ts';

/** How to reach a store. Times are in milliseconds. */
export interface StoreClientOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** Prevents the token from being sent to an unconfirmed store. */
  readonly guard?: TokenGuard | undefined;
  /** Aborts all of the client's work. */
  readonly signal: AbortSignal;
  /** How long the store may send nothing (30 s). */
  readonly stallTimeoutMs?: number | undefined;
  /** The time limit for opening a connection (10 s). */
  readonly connectTimeoutMs?: number | undefined;
  /** The maximum number of connections (16). */
  readonly connections?: number | undefined;
  readonly userAgent: string;
  /** The id of this node, so that the store can report pending orders. */
  readonly nodeId?: string | undefined;
  readonly findByName?: FindByName | undefined;
  /** Connections that the caller owns and closes, from `openTransport` with the same options; by default own ones. */
  readonly transport?: Transport | undefined;
}

/** A store behind HTTP. */
export interface StoreClient extends Store {
  readonly downloads: Downloads;
  readonly optimizations: Optimizations;
  readonly uploads: Uploads;
  readonly fleet: Fleet;
  /** Its tokens and its policy. */
  readonly access: AccessClient;
  /** Its log of changes. */
  audit(asked: AskedAudit): Promise<AuditList>;
  /** The models that several nodes take together, and the last ones. */
  swarms(): Promise<SwarmList>;
  /** Reports the copies that this node removed by itself, for that log. */
  reportEvictions(nodeId: NodeId, report: EvictionsBody): Promise<void>;
  /** Tests whether the store accepts connections; see `Transport`. */
  probe(timeoutMs: number): Promise<ProbeOutcome>;
  /** Its changes, until the signal aborts; see `listenForNews`. */
  news(signal: AbortSignal): AsyncGenerator<StoreNews>;
  /** What a download from Hugging Face would fetch, according to the store; see `askOffer`. */
  offer: AskOffer;
  /** The quantizations that it lacks; see `askNotInStore`. */
  notInStore: AskNotInStore;
  /** Closes its own connections. They never keep the process alive. */
  close(): void;
}

const mebibyte = 1024 * 1024;
/** The size limits of JSON answers, in bytes. */
const maxBytes = { registry: 256 * mebibyte, manifest: 64 * mebibyte, line: 64 * mebibyte };
/** Long work sends a heartbeat every second. */
const workSilenceMs = 60_000;

const usual = { connectTimeoutMs: 10_000, connections: 16 };

/** Connections to a store for several clients, one after the other. The caller closes them. None is opened before its first use. */
export function openTransport(options: Omit<StoreClientOptions, 'transport'>): Transport {
  const { url, connectTimeoutMs = usual.connectTimeoutMs, connections = usual.connections } = options;
  return createTransport({
    url: url.replace(/\/+$/, ''),
    connectTimeoutMs,
    connections,
    lookup: lookupOfStore({ ...options, carriesToken: options.token !== undefined }),
  });
}

/** The client of a store's HTTP contract. Opens no connection before the first request. */
export function createStoreClient(options: StoreClientOptions): StoreClient {
  const { stallTimeoutMs = 30_000, connectTimeoutMs = usual.connectTimeoutMs, connections = usual.connections } = options;
  const withheld = options.token === undefined ? undefined : options.guard?.withheld;
  const transport = options.transport ?? openTransport(options);
  const { lookup } = transport;
  const exchange = createExchange({ ...options, stallTimeoutMs, connectTimeoutMs, connections, transport, withheld });
  const { url } = exchange;
  const offered = new Set<ModelId>();
  const getJson = (call: Call, limit: number): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit, watchdog }));
  return {
    location: url,
    close: options.transport === undefined ? transport.close : () => undefined,
    probe: exchange.probe,
    health: async () => readHealth(exchange, { silenceMs: Math.min(stallTimeoutMs, connectTimeoutMs) }),
    listModels: async (): Promise<readonly RegistryEntry[]> =>
      registryOf(await getJson(callOf('GET /registry', {}), maxBytes.registry), url),
    listDescribed: async () => describedOf(await getJson(callOf('GET /registry', {}), maxBytes.registry), url),
    manifest: (modelId, asked = {}) => askManifest(exchange, modelId, { ...asked, nodeId: options.nodeId, offered }),
    swarm: createSwarmClient(exchange, { lookup, offered }),
    listed: createListedFiles(exchange),
    readPiece: (request, signal) => readPiece(exchange, request, signal),
    fetchPieces: async (modelId, plan) => {
      if (withheld !== undefined) throw withheld;
      const { fetchStorePieces } = await import('./fetch-store-pieces.ts');
      const { token, userAgent } = options;
      const target = { url, token, userAgent, connectTimeoutMs, stallTimeoutMs };
      await fetchStorePieces(modelId, plan, { target, lookup, exchange });
    },
    findPlace: (request) => askPlace(exchange, request),
    adopt: async ({ modelId, ...body }, work): Promise<Adopted> => {
      const call = { ...callOf('POST /models/:id/adopt', { id: modelId }), json: body };
      const answer = await refuseForOther(exchange, 'take models in', () => doWork(exchange, call, work));
      return readAnswer(adopted, answer, { url, why: whyNotAdopted });
    },
    remove: async (modelId) => {
      const answer = await getJson(
        { ...callOf('DELETE /models/:id', { id: modelId }), silenceMs: Math.max(stallTimeoutMs, workSilenceMs) },
        mebibyte,
      );
      return { freedBytes: readAnswer(deleted, answer, { url, why: 'it does not report whether it deleted the model' }).freed_bytes };
    },
    downloads: createDownloadsClient(exchange),
    optimizations: createOptimizationsClient(exchange),
    uploads: createUploadsClient(exchange, (call, work) => doWork(exchange, call, work)),
    fleet: createFleetClient(exchange),
    access: createAccessClient(exchange),
    audit: (asked) => askAudit(exchange, asked),
    swarms: () => askSwarms(exchange),
    reportEvictions: async (node, json) => void (await getJson({ ...callOf('POST /nodes/:node/evictions', { node }), json }, mebibyte)),
    news: (signal) => listenForNews(exchange, signal),
    offer: (wanted, signal) => askOffer(exchange, wanted, signal),
    notInStore: (modelId) => askNotInStore(exchange, modelId),
    verify: async ({ refs, repair }, work): Promise<VerifyReport> => {
      const call = { ...callOf('POST /verify', {}), json: { model_ids: refs.map(formatRef), repair } };
      const answer = await refuseForOther(exchange, 'verify models', () => doWork(exchange, call, work));
      return readAnswer(verifyReport, answer, { url, why: 'it does not report what it verified' });
    },
  };
}

function askManifest(
  exchange: Exchange,
  modelId: ModelId,
  {
    knownDigest,
    signal,
    silenceMs,
    nodeId,
    offered,
  }: ManifestOptions & { readonly nodeId: string | undefined; readonly offered: Set<ModelId> },
): Promise<ManifestAnswer> {
  const { url } = exchange;
  // A model may have a file named `manifest`; this header requests the real manifest.
  const headers = {
    Accept: 'application/vnd.skulk.manifest+json',
    ...(knownDigest !== undefined && { 'If-None-Match': `"${knownDigest}"` }),
    ...(nodeId !== undefined && { 'Skulk-Node': nodeId }),
  };
  const accept = knownDigest === undefined ? [200, 202, 404] : [200, 202, 304, 404];
  return exchange.send(
    { ...callOf('GET /models/:id/manifest', { id: modelId }), headers, accept, signal, silenceMs },
    async (response, watchdog): Promise<ManifestAnswer> => {
      if (response.status === 404) return await answerOfOther(exchange, modelId, response, { watchdog, signal, silenceMs });
      const companions = parseCompanions(response.headers.get('skulk-companions') ?? '');
      const pin = readPin(response.headers.get('skulk-gguf-file'));
      if (response.headers.get('skulk-swarm') === 'offered') offered.add(modelId);
      const problems = parseProblems(response.headers.get('skulk-problems') ?? '');
      const said = { companions, ...(pin !== undefined && { pin }), ...(problems.length > 0 && { problems }) };
      const orders = response.headers.has('skulk-orders') ? { hasOrders: true } : {};
      if (response.status === 304) return { state: 'unchanged', ...said, ...orders };
      const body = await readJson(response, { url, limit: maxBytes.manifest, watchdog });
      if (response.status === 202) {
        const wait = decode(hashing, body)?.retry_after_ms ?? retryAfterOf(response.headers.get('retry-after')) ?? 1000;
        return { state: 'hashing', retryAfterMs: Math.min(60_000, Math.max(50, wait)) };
      }
      const manifest = parseManifest(body, url);
      if (manifest.model_id === modelId) return { state: 'ready', manifest, ...said, ...orders };
      throw new SkulkError('INTEGRITY', `the store at ${url} sent the manifest of ${manifest.model_id} instead of ${modelId}`, {
        hint: 'run `skulk verify --repair` on the store host',
      });
    },
  );
}

const listedAnswer = (model: ListedModel): ManifestAnswer => ({
  state: 'listed',
  model,
  companions: model.card?.companions ?? [],
  ...(model.card?.ggufFile !== undefined && { pin: model.card.ggufFile }),
});

/** A refusal; for a store without manifests, its list of the model. */
async function answerOfOther(
  exchange: Exchange,
  modelId: ModelId,
  response: Response,
  { watchdog, ...how }: { readonly watchdog: Watchdog; readonly signal: AbortSignal | undefined; readonly silenceMs: number | undefined },
): Promise<ManifestAnswer> {
  const { url } = exchange;
  const body = await readJson(response, { url, limit: mebibyte, watchdog }).catch((error: unknown) => {
    if (watchdog.signal.aborted) throw error;
    return undefined;
  });
  if (decode(errorBody, body)?.code === undefined && (await isPythonStore(exchange, how)))
    return listedAnswer(await describeListed(exchange, modelId, how));
  throw mapRefusal({ status: 404, body, location: null, retryAfter: null }, url);
}

/** Sends a call that is answered with lines of JSON, and returns the result in the last one. */
function doWork(exchange: Exchange, call: Call, { signal, onBytes }: WorkOptions): Promise<unknown> {
  const { url } = exchange;
  return exchange.send({ ...call, signal, silenceMs: workSilenceMs }, async (response, watchdog) => {
    for await (const line of readLines(response, { url, limit: maxBytes.line, watchdog })) {
      if (typeof line !== 'object' || line === null) throw notAStore(url, 'a line of its answer is empty');
      if ('result' in line) return line.result;
      if ('error' in line) throw mapWorkError(line.error, url);
      const { bytes_done, bytes_total } = ((line as { progress?: unknown }).progress ?? {}) as Record<string, unknown>;
      if (typeof bytes_done === 'number' && typeof bytes_total === 'number') onBytes?.(bytes_done, bytes_total);
    }
    throw new SkulkError('STORE_UNREACHABLE', `the store at ${url} ended its answer without a result`, {
      hint: 'see its log; run the command again',
    });
  });
}

function mapWorkError(error: unknown, url: string): SkulkError {
  const { code, message, hint } = (error ?? {}) as Record<string, unknown>;
  const says = typeof message === 'string' ? clean(message) : 'no reason given';
  if (isErrorCode(code) && code !== 'INTERRUPTED' && code !== 'TERMINATED')
    return new SkulkError(code, says, { hint: typeof hint === 'string' ? clean(hint) : undefined });
  return new SkulkError('STORE_UNREACHABLE', `the store at ${url} failed: ${says}`, { hint: 'see its log' });
}

/** The file in the model's card. Ignores an invalid path, because it comes from another machine. */
function readPin(text: string | null): string | undefined {
  try {
    return text === null ? undefined : parseRelativePath(decodeURIComponent(text));
  } catch {
    return undefined;
  }
}
