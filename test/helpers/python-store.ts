import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { atEnd } from './at-end.ts';
import { bytesOf } from './fake-hub.ts';

/** A model of the Python program's store. */
export interface PythonModel {
  /** All files in the list of its server, also files that do not belong to the model. */
  files: Record<string, string | Uint8Array>;
  downloaded_at: string;
  /** Files in its list that are not on its disk any more. */
  lost?: readonly string[];
  /** Only later releases have it. */
  source_revision?: string;
  repo_has_projector?: boolean | null;
  /** Later releases may have it. */
  installed_card?: object;
}

/** A request for bytes of a file, which a fault may answer. */
export interface PythonExchange {
  /** From 1, over all requests for bytes of this file that ask for more than one byte. */
  readonly number: number;
  readonly path: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly start: number;
  readonly end: number;
}

/** The store server of the Python program, as its own client uses it. */
export interface PythonStore {
  readonly url: string;
  readonly models: Map<string, PythonModel>;
  /** `METHOD /path` of every request. */
  readonly requests: readonly string[];
  /** Bytes of files that it sent. */
  bytes(): number;
  /** Whether it answered itself. */
  fault: ((exchange: PythonExchange) => boolean | Promise<boolean>) | undefined;
  /** The result of a download, by model; a model that is not here fails. */
  readonly hub: Map<string, Readonly<Record<string, string | Uint8Array>>>;
  /** Bodies of `POST …/download`. */
  readonly asked: unknown[];
  /** Whether it is a later release, which supports revisions and further GGUF files. */
  isLater: boolean;
}

const listOf = ({ files, lost = [] }: PythonModel): readonly string[] => [...Object.keys(files), ...lost];

const lacksProjector = ({ repo_has_projector: has, files }: PythonModel): boolean =>
  has === true && !Object.keys(files).some((path) => path.includes('mmproj'));

const preferred = ['Q4_K_M', 'Q4_K_S', 'Q5_K_M', 'Q5_K_S', 'Q6_K', 'Q4_0', 'Q5_0', 'Q8_0'];

/**
 * A strict stand-in for the store server of the Python program: HEAD sends the body, a range that reaches beyond the end is refused,
 * `bytes=-5` gives the first six bytes, there is no ETag, and refusals are plain text. It ends with the test.
 */
export async function pythonStore(
  models: Readonly<Record<string, Partial<PythonModel>>> = {},
  { host = '127.0.0.1', port = 0 }: { readonly host?: string; readonly port?: number } = {},
): Promise<PythonStore> {
  let sent = 0;
  const counts = new Map<string, number>();
  const jobs = new Map<string, Record<string, unknown>>();
  const sockets = new Set<Socket>();
  const requests: string[] = [];

  const text = (response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void =>
    void response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(body);
  const json = (response: ServerResponse, value: unknown, status = 200): void =>
    void response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
  const notFound = (response: ServerResponse): void => text(response, 404, '404: Not Found');

  const entryOf = (id: string, model: PythonModel) => ({
    model_id: id,
    store_path: id.replace('/', '--'),
    files: listOf(model),
    downloaded_at: model.downloaded_at,
    total_bytes: Object.values(model.files).reduce((sum, content) => sum + bytesOf(content).length, 0),
    ...(model.repo_has_projector !== undefined && { repo_has_projector: model.repo_has_projector }),
    ...(model.source_revision !== undefined && { source_revision: model.source_revision }),
    ...(model.installed_card !== undefined && { installed_card: model.installed_card }),
  });

  const sendFile = async (request: IncomingMessage, response: ServerResponse, path: string, body: Buffer): Promise<void> => {
    const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
    // It parses `-5` as `0-5`.
    const start = Number(range?.[1] || 0);
    const last = range?.[2] ? Number(range[2]) : body.length - 1;
    if (range !== null && (start >= body.length || last >= body.length))
      return text(response, 416, '416: Range Not Satisfiable', { 'Content-Range': `bytes */${body.length}` });
    const end = last + 1;
    if (end - start > 1) {
      const number = (counts.get(path) ?? 0) + 1;
      counts.set(path, number);
      if ((await store.fault?.({ number, path, request, response, body, start, end })) === true) return;
    }
    response.writeHead(range === null ? 200 : 206, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(end - start),
      'Accept-Ranges': 'bytes',
      ...(range !== null && { 'Content-Range': `bytes ${start}-${last}/${body.length}` }),
    });
    sent += end - start;
    // Node omits the body of an answer to HEAD; the program does not.
    if (request.method === 'HEAD') request.socket.write(body.subarray(start, end));
    else response.write(body.subarray(start, end));
    response.end();
  };

  const download = (id: string, asked: Record<string, unknown>): unknown => {
    store.asked.push(asked);
    const known = store.isLater ? ['gguf_file', 'extra_gguf_files', 'source_revision'] : ['gguf_file'];
    const stranger = Object.keys(asked).find((key) => !known.includes(key));
    if (stranger !== undefined) throw new Error(`a key of the body that the program does not know: ${stranger}`);
    const complete = { modelId: id, status: 'complete', progress: 1, error: null };
    // Any other request for an existing model. One without its projector is downloaded again.
    const present = store.models.get(id);
    if (present !== undefined && !lacksProjector(present)) return complete;
    const found = store.hub.get(id);
    if (found === undefined) {
      const failed = { modelId: id, status: 'failed', progress: 0, error: 'Repository not found' };
      jobs.set(id, failed);
      return failed;
    }
    const ggufs = Object.keys(found).filter((path) => path.endsWith('.gguf') && !path.includes('mmproj'));
    const wanted = asked['gguf_file'] ?? preferred.map((label) => ggufs.find((path) => path.includes(label))).find((path) => path);
    const isTaken = (path: string): boolean => !path.endsWith('.gguf') || path === wanted || path.includes('mmproj');
    const files = Object.fromEntries(Object.entries(found).filter(([path]) => isTaken(path)));
    store.models.set(id, { files, downloaded_at: new Date().toISOString() });
    jobs.set(id, complete);
    return { modelId: id, status: 'pending', progress: 0, error: null };
  };

  const readBody = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: target = '/' } = request;
    const { pathname, searchParams } = new URL(target, 'http://store');
    if (pathname === '/health') return json(response, { store_path: '/srv/models', free_bytes: 3e12, total_bytes: 4e12, used_bytes: 1e12 });
    if (pathname === '/registry')
      return json(
        response,
        [...store.models].map(([id, model]) => entryOf(id, model)),
      );
    if (pathname === '/models') return json(response, [...store.models.keys()]);
    if (pathname === '/downloads') return json(response, []);
    const [, rawId = '', rest = ''] = /^\/models\/([^/]+%2F[^/]+|[^/]+\/[^/]+)(?:\/(.*))?$/i.exec(pathname) ?? [];
    const id = decodeURIComponent(rawId);
    const model = store.models.get(id);
    if (method === 'POST' && rest === 'download') return json(response, download(id, await readBody(request)));
    if (method === 'GET' && rest === 'download/status') {
      const job = jobs.get(id);
      return job === undefined ? notFound(response) : json(response, job);
    }
    if (method === 'DELETE' && rest === '') {
      const isThere = store.models.delete(id);
      jobs.delete(id);
      return isThere ? json(response, { modelId: id, deleted: true }) : notFound(response);
    }
    if (!['GET', 'HEAD'].includes(method) || model === undefined) return notFound(response);
    const revision = searchParams.get('source_revision');
    if (store.isLater && (revision ?? undefined) !== model.source_revision) return notFound(response);
    if (rest === 'files') {
      return lacksProjector(model) ? notFound(response) : json(response, listOf(model));
    }
    const content = model.files[decodeURIComponent(rest)];
    if (content === undefined) return notFound(response);
    return await sendFile(request, response, decodeURIComponent(rest), bytesOf(content));
  };

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.on('error', () => {});
    void answer(request, response).catch((error: unknown) => text(response, 500, String(error)));
  }).on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => void server.listen(port, host, listening));
  atEnd(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  const store: PythonStore = {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    models: new Map(
      Object.entries(models).map(([id, { files = {}, ...more }]) => [id, { downloaded_at: '2026-01-02T03:04:05Z', ...more, files }]),
    ),
    requests,
    bytes: () => sent,
    fault: undefined,
    hub: new Map(),
    asked: [],
    isLater: false,
  };
  return store;
}
