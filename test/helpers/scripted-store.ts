import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEnd } from './at-end.ts';

/** A store with scripted events. */
export interface ScriptedStore {
  readonly url: string;
  /** The number of clients that started to listen. */
  readonly listened: () => number;
  /** Sends events to all current and future listeners. */
  readonly tell: (name: string, data: unknown) => void;
  /** Writes raw text to all listeners. */
  readonly write: (bytes: string | Uint8Array) => void;
  /** Ends all streams. */
  readonly hangUp: () => void;
  /** The answer of `GET /store/events` instead of a stream. */
  refusal: { readonly status: number; readonly body: string; readonly type?: string } | undefined;
  /** The answers of the store's own port, by path. */
  readonly answers: Map<string, unknown>;
}

/** The disk in the events of a store. */
export const someHealth = {
  storePath: '/srv/models',
  freeBytes: 300 * 1024 ** 3,
  totalBytes: 1000 * 1024 ** 3,
  usedBytes: 700 * 1024 ** 3,
  models: 0,
  version: '9.9.9',
  hostname: 'kite3',
  nodeId: 'kite3',
  location: '/srv/models',
  advertised: null,
  upstream: null,
  replaces: null,
};

/** A model in the events of a store. */
export const someEntry = (model_id: string, more: object = {}): object => ({
  model_id,
  store_path: model_id.replace('/', '--'),
  downloaded_at: new Date(Date.now() - 3 * 86_400_000).toISOString(),
  total_bytes: 5 * 1024 ** 3,
  repo_has_projector: null,
  file_count: 3,
  tags: [],
  capabilities: [],
  supports_tensor: null,
  base_model: null,
  quantization: null,
  family: null,
  context_length: null,
  parameters: null,
  license: null,
  ...more,
});

/** A download in the events of a store. */
export const someDownload = (modelId: string, more: object = {}): object => ({
  modelId,
  status: 'downloading',
  progress: 0.25,
  error: null,
  bytes_done: 1024 ** 3,
  bytes_total: 4 * 1024 ** 3,
  bytes_per_second: 50 * 1024 ** 2,
  seconds_left: 60,
  error_code: null,
  hint: null,
  revision: null,
  commit: null,
  gguf_file: null,
  selector: null,
  exact: false,
  strict: false,
  warnings: [],
  created_at: new Date().toISOString(),
  updated_at: new Date().toISOString(),
  ...more,
});

/** An optimization in the events of a store. */
export const someOptimization = (modelId: string, more: object = {}): object => ({
  modelId,
  targetId: `${modelId}-Q4_K_M-GGUF`,
  status: 'converting',
  progress: 0.25,
  message: 'tensor 5 of 20: blk.1.attn_k.weight',
  resultPath: null,
  targetBpw: 4.5,
  achievedBpw: null,
  estimatedSizeMb: 1000,
  error: null,
  engine: 'llama',
  engineVersion: '0.7.0',
  type: 'Q4_K_M',
  selector: null,
  bytes_done: 1024 ** 3,
  bytes_total: 4 * 1024 ** 3,
  bytes_per_second: 50 * 1024 ** 2,
  seconds_left: 60,
  warnings: [],
  error_code: null,
  hint: null,
  created_at: new Date().toISOString(),
  updated_at: new Date().toISOString(),
  ...more,
});

/** A node in the events of a store. */
export const someNode = (node_id: string, more: object = {}): object => ({
  node_id,
  hostname: node_id,
  version: '9.9.9',
  agent: true,
  address: '192.168.1.20',
  last_seen: new Date().toISOString(),
  connected: true,
  pending_orders: 0,
  staged_models: 0,
  staged_bytes: 0,
  free_bytes: 1024 ** 4,
  copies: [],
  budget_bytes: 40 * 1024 ** 3,
  ...more,
});

/** Opens one on a free port of 127.0.0.1; it ends with the test. */
export async function scriptedStore(): Promise<ScriptedStore> {
  const streams = new Set<ServerResponse>();
  const newest = new Map<string, unknown>([
    ['registry', { entries: [] }],
    ['downloads', { downloads: [] }],
    ['optimizations', { optimizations: [] }],
    ['nodes', { nodes: [] }],
    ['orders', { orders: [] }],
    ['health', someHealth],
  ]);
  let listened = 0;
  const eventText = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://store');
    if (pathname === '/store/events' && store.refusal === undefined) {
      listened += 1;
      streams.add(response);
      response.on('close', () => streams.delete(response));
      response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
      for (const [name, data] of newest) response.write(eventText(name, data));
      return;
    }
    if (pathname === '/store/events' && store.refusal !== undefined) {
      const { status, body, type = 'application/json' } = store.refusal;
      response.writeHead(status, { 'Content-Type': type }).end(body);
      return;
    }
    const answer = store.answers.get(pathname);
    const isThere = answer !== undefined;
    response.writeHead(isThere ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isThere ? answer : { detail: 'no such route', code: 'NOT_FOUND' }));
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  const hangUp = (): void => {
    for (const stream of streams) stream.destroy();
  };
  atEnd(() => {
    hangUp();
    server.close();
    server.closeAllConnections();
  });
  const store: ScriptedStore = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    listened: () => listened,
    tell: (name, data) => {
      newest.set(name, data);
      store.write(eventText(name, data));
    },
    write: (bytes) => {
      for (const stream of streams) stream.write(bytes);
    },
    hangUp,
    refusal: undefined,
    answers: new Map<string, unknown>([
      ['/health', { store_path: '/srv/models', free_bytes: 3, total_bytes: 10, used_bytes: 7, version: '', hostname: 'kite3' }],
      ['/registry', []],
      ['/downloads', []],
    ]),
  };
  return store;
}
