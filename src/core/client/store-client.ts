import type { Fleet } from '../fleet/contract.ts';
import type { Downloads, Optimizations } from '../jobs/contract.ts';
import type { NodeId } from '../kernel/machine/node-id.ts';
import { formatRef, type ModelId } from '../kernel/model-id.ts';
import type { AuditList, EvictionsBody } from '../protocol/events.ts';
import { deleted } from '../protocol/fleet.ts';
import { type Adopted, adopted } from '../protocol/models/adoption.ts';
import type { RegistryEntry } from '../protocol/models/entries.ts';
import { type VerifyReport, verifyReport } from '../protocol/models/verify-report.ts';
import { callOf } from '../protocol/routes/call.ts';
import type { SwarmList } from '../protocol/staging.ts';
import type { Store } from '../store/contract.ts';
import type { Uploads } from '../store/upload-contract.ts';
import { type AccessClient, createAccessClient } from './access-client.ts';
import { type AskedAudit, askAudit } from './ask-audit.ts';
import { askManifest } from './ask-manifest.ts';
import { askPlace } from './ask-place.ts';
import { askSwarms } from './ask-swarms.ts';
import { doWork, workSilenceMs } from './do-work.ts';
import { createDownloadsClient } from './downloads-client.ts';
import { createFleetClient } from './fleet-client.ts';
import { type Call, createExchange } from './http/exchange.ts';
import { type FindByName, lookupOfStore } from './http/lookup-of-store.ts';
import type { ProbeOutcome } from './http/probe-connection.ts';
import { describedOf, readAnswer, registryOf } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';
import { readHealth } from './http/read-health.ts';
import type { TokenGuard } from './http/token-guard.ts';
import { createTransport, type Transport } from './http/transport.ts';
import { listenForNews, type StoreNews } from './news-client.ts';
import { type AskNotInStore, type AskOffer, askNotInStore, askOffer } from './offer-client.ts';
import { createOptimizationsClient } from './optimizations-client.ts';
import { createListedFiles } from './python-store.ts';
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
  /** What a user must set beside a token so that it is sent there; undefined if a token is enough. */
  readonly tokenNeeds?: (() => Promise<string | undefined>) | undefined;
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
  /** The models that nodes share now, and those that they shared last. */
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
/** The size limit of the list of models, in bytes. */
const maxRegistryBytes = 256 * mebibyte;

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
      registryOf(await getJson(callOf('GET /registry', {}), maxRegistryBytes), url),
    listDescribed: async () => describedOf(await getJson(callOf('GET /registry', {}), maxRegistryBytes), url),
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
      const answer = await refuseForOther(exchange, 'accept models', () => doWork(exchange, call, work));
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
