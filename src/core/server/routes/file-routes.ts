import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { formatCompanions } from '../../catalog/companions.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId, ModelRef } from '../../kernel/model-id.ts';
import { isSha256 } from '../../kernel/sha256.ts';
import type { DownloadStatus } from '../../protocol/downloads.ts';
import type { LocalStore, OpenFile } from '../../store/contract.ts';
import { createConnectionSemaphore } from '../app/connection-semaphore.ts';
import type { Limits } from '../app/limits.ts';
import { createBufferPool } from '../files/buffer-pool.ts';
import { type FileResponse, matches, planFileResponse } from '../files/plan-file-response.ts';
import { sendFile } from '../files/send-file.ts';
import { peerOf } from '../files/slots.ts';
import { addRoute } from './add-route.ts';
import { forceOf, waitOf } from './fleet-routes.ts';
import { sendJson } from './json-cache.ts';
import { modelOf, selectorOf } from './model-of.ts';
import { type ModelTarget, parseModelUrl } from './parse-model-url.ts';

/** With these a client says that it means the list or the manifest, and not a file of that name. */
const own = { manifest: 'application/vnd.skulk.manifest+json', files: 'application/vnd.skulk.files+json' } as const;
const statusPath = 'download/status';

/** Everything below `/models/{id}` but long work. Which model and file a URL names is decided by `parseModelUrl` and what the store has. */
export function addFileRoutes(
  app: FastifyInstance,
  {
    store,
    limits,
    downloadStatus,
    remove,
    hasOrders,
  }: {
    store: LocalStore;
    limits: Limits;
    downloadStatus: (modelId: ModelId) => Promise<DownloadStatus>;
    remove: (ref: ModelRef, options: { force: boolean; waitMs: number }) => Promise<object>;
    /** Whether a node should ask for orders. */
    hasOrders: (nodeId: unknown) => Promise<boolean>;
  },
): void {
  const pool = createBufferPool({ large: limits.largeBuffers });
  // The file of the next answer is opened while the last one leaves.
  const semaphore = createConnectionSemaphore(2);
  const takers = new Map<ModelId, Map<Socket, string>>();
  // An open file outlives its name, so whoever takes a model that was deleted would go on to the end.
  store.onRemoved((modelId, files) => {
    for (const [socket, path] of takers.get(modelId) ?? []) if (files === undefined || files.has(path)) socket.destroy();
  });

  const answerGet = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const targets = parseModelUrl(request.originalUrl);
    const { modelId, paths } = await chooseTarget(store, targets);
    const [path = ''] = paths;
    const accept = request.headers.accept ?? '';
    if (path === 'manifest' && accept.includes(own.manifest)) return answerManifest(request, reply, modelId);
    if (path === 'files' && accept.includes(own.files)) return sendJson(reply, await store.listFiles(modelId));
    try {
      return await answerFile(request, reply, { modelId, paths });
    } catch (error) {
      if (!(error instanceof SkulkError) || reply.sent) throw error;
      const asked = targets.find((target) => target.paths[0] === statusPath);
      if (asked !== undefined && (error.code === 'FILE_NOT_FOUND' || error.code === 'MODEL_NOT_FOUND'))
        return downloadStatus(asked.modelId);
      if (error.code !== 'FILE_NOT_FOUND') throw error;
      if (path === 'manifest') return answerManifest(request, reply, modelId);
      if (path === 'files') return sendJson(reply, await store.listFiles(modelId));
      throw error;
    }
  };

  const answerManifest = async (request: FastifyRequest, reply: FastifyReply, modelId: ModelId): Promise<unknown> => {
    const { 'if-none-match': condition, 'skulk-node': node } = request.headers;
    if (await hasOrders(node)) reply.header('Skulk-Orders', 'pending');
    const known = /^"([^"]*)"$/.exec(condition?.trim() ?? '')?.[1];
    const answer = await store.manifest(modelId, isSha256(known) ? { knownDigest: known } : {});
    if (answer.state !== 'hashing' && answer.companions.length > 0) reply.header('Skulk-Companions', formatCompanions(answer.companions));
    if (answer.state !== 'hashing' && answer.pin !== undefined) reply.header('Skulk-Gguf-File', encodeURIComponent(answer.pin));
    if (answer.state === 'unchanged') return reply.code(304).header('ETag', `"${known}"`).send();
    if (answer.state === 'hashing') {
      const seconds = Math.max(1, Math.ceil(answer.retryAfterMs / 1000));
      return reply.code(202).header('Retry-After', String(seconds)).send({ state: 'hashing', retry_after_ms: answer.retryAfterMs });
    }
    const etag = `"${answer.manifest.digest}"`;
    reply.header('ETag', etag).header('Cache-Control', 'no-cache');
    return condition !== undefined && matches(condition, etag, 'weak') ? reply.code(304).send() : sendJson(reply, answer.manifest);
  };

  const answerFile = async (request: FastifyRequest, reply: FastifyReply, target: ModelTarget): Promise<unknown> => {
    const isTransfer = request.method === 'GET';
    const release = isTransfer ? await semaphore.acquire(request.socket) : undefined;
    try {
      const isPeerFull = semaphore.connections(peerOf(request.ip)) > limits.transfersPerAddress;
      if (isPeerFull || semaphore.connections() > limits.maxTransfers)
        throw new SkulkError(
          'STORE_BUSY',
          `${limits[isPeerFull ? 'transfersPerAddress' : 'maxTransfers']} transfers are under way, more are not taken`,
          {
            hint: 'try again in a moment',
            retryAfterMs: 1000,
          },
        );
      await using file = await openAny(store, target);
      const { range: asked, 'if-range': ifRange, 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
      const plan = planFileResponse(
        { method: request.method, range: asked, ifRange: ifRange as string | undefined, ifMatch, ifNoneMatch },
        file,
      );
      return await answerPlan(request, reply, { plan, file, modelId: target.modelId, path: file.path });
    } finally {
      release?.();
    }
  };

  const answerPlan = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { plan, file, modelId, path }: { plan: FileResponse; file: OpenFile; modelId: ModelId; path: string },
  ): Promise<unknown> => {
    const { status, headers, range } = plan;
    if (status === 416) {
      reply.headers(headers);
      throw new SkulkError('RANGE_NOT_SATISFIABLE', `the file has ${file.size} bytes`, { hint: 'ask for a range inside it' });
    }
    const begin = (): void => {
      reply.hijack();
      reply.raw.writeHead(status, headers);
    };
    if (range === null) {
      begin();
      reply.raw.end();
      return reply;
    }
    const { socket } = request;
    const sockets = takers.get(modelId) ?? new Map<Socket, string>();
    takers.set(modelId, sockets.set(socket, path));
    try {
      await sendFile(file, range, { socket, response: reply.raw, pool, stallTimeoutMs: limits.stallTimeoutMs, begin });
    } catch (error) {
      if (!reply.raw.headersSent) throw error;
      if (error instanceof SkulkError && error.code === 'INTERRUPTED') request.log.debug({ url: request.originalUrl }, error.message);
      else
        request.log.error(
          { err: error, code: error instanceof SkulkError ? error.code : 'INTERNAL', url: request.originalUrl },
          'a transfer was cut off',
        );
    } finally {
      sockets.delete(socket);
      if (sockets.size === 0) takers.delete(modelId);
    }
    return reply;
  };

  const answerDelete = async (request: FastifyRequest): Promise<unknown> => {
    const targets = parseModelUrl(request.originalUrl.replace(/\/+(?=$|\?)/, ''));
    const target = targets.find(({ paths }) => paths.length === 0);
    if (target === undefined) throw new SkulkError('BAD_PATH', 'single files cannot be deleted', { hint: 'delete the whole model' });
    const outcome = await remove({ modelId: target.modelId }, { force: forceOf(request), waitMs: waitOf(request) });
    request.log.info({ model: target.modelId }, 'deleted');
    return { modelId: target.modelId, deleted: true, ...outcome };
  };

  const answerDeleteOne = async (request: FastifyRequest): Promise<unknown> => {
    const ref = { modelId: modelOf(request), selector: selectorOf(request) };
    const outcome = await remove(ref, { force: forceOf(request), waitMs: waitOf(request) });
    request.log.info({ model: ref.modelId, selector: ref.selector }, 'deleted');
    return { modelId: ref.modelId, deleted: true, ...outcome };
  };

  addRoute(app, 'GET /models/:id/files', answerGet);
  addRoute(app, 'GET /models/:id/manifest', answerGet);
  addRoute(app, 'GET /models/:id/download/status', answerGet);
  addRoute(app, 'DELETE /models/:id', answerDelete);
  addRoute(app, 'DELETE /models/:id/quantizations/:selector', answerDeleteOne);
  app.route({ method: ['GET', 'HEAD'], url: '/models/:id', config: { role: 'read' }, schema: { hide: true }, handler: answerGet });
  addRoute(app, 'GET /models/:id/*', answerGet, { answersHead: true });
}

/** A bare model has nothing to answer, so only readings with a file count; of two, `org/name` when the store has it. */
async function chooseTarget(store: LocalStore, readings: readonly ModelTarget[]): Promise<ModelTarget> {
  const [first, second] = readings.filter(({ paths }) => paths.length > 0);
  if (first === undefined)
    throw new SkulkError('NOT_FOUND', 'no file is named here', { hint: 'ask for /models/{id}/files or /models/{id}/{path}' });
  if (second === undefined || (await store.has(first.modelId)) || !(await store.has(second.modelId))) return first;
  return second;
}

async function openAny(store: LocalStore, { modelId, paths }: ModelTarget): Promise<OpenFile & { readonly path: string }> {
  let refusal: unknown;
  for (const path of paths) {
    try {
      return { ...(await store.openFile(modelId, path)), path };
    } catch (error) {
      if (!(error instanceof SkulkError) || error.code !== 'FILE_NOT_FOUND') throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}
