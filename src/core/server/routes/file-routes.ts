import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkRevision } from '../../catalog/check-revision.ts';
import type { DownloadName } from '../../jobs/contract.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { type ModelId, type ModelRef, parseRevision } from '../../kernel/model-id.ts';
import type { DownloadStatus } from '../../protocol/downloads.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { HostSwarms } from '../../swarm/host-swarms.ts';
import { addRoute } from './add-route.ts';
import { answerFile, type FileSending } from './answer-file.ts';
import { answerManifest } from './answer-manifest.ts';
import { downloadIdIn } from './download-routes.ts';
import { forceOf, waitOf } from './fleet-routes.ts';
import { sendJson } from './json-cache.ts';
import { modelOf, selectorOf } from './model-of.ts';
import { type ModelTarget, parseModelUrl } from './parse-model-url.ts';

/** With these types, a client requests the list or the manifest, and not a file with that name. */
const own = { manifest: 'application/vnd.skulk.manifest+json', files: 'application/vnd.skulk.files+json' } as const;
const statusPath = 'download/status';

/** The options of the routes below `/models/{id}`. */
export interface FileRoutesOptions {
  readonly store: LocalStore;
  readonly sending: FileSending;
  readonly downloadStatus: (name: DownloadName) => Promise<DownloadStatus>;
  readonly remove: (ref: ModelRef, options: { force: boolean; waitMs: number }) => Promise<object>;
  /** Whether a node should ask for orders. */
  readonly hasOrders: (nodeId: unknown) => Promise<boolean>;
  readonly swarms?: Pick<HostSwarms, 'isOffered'> | undefined;
}

/** Everything below `/models/{id}` except long work. `parseModelUrl` and the store's content decide which model and file a URL means. */
export function addFileRoutes(app: FastifyInstance, options: FileRoutesOptions): void {
  const { sending } = options;
  const get = (request: FastifyRequest, reply: FastifyReply) => answerGet(options, sending, request, reply);
  addRoute(app, 'GET /models/:id/files', get);
  addRoute(app, 'GET /models/:id/manifest', get);
  addRoute(app, 'GET /models/:id/download/status', get);
  addRoute(app, 'DELETE /models/:id', (request) => answerDelete(options, request));
  addRoute(app, 'DELETE /models/:id/quantizations/:selector', (request) => answerDeleteOne(options, request));
  app.route({ method: ['GET', 'HEAD'], url: '/models/:id', config: { role: 'read' }, schema: { hide: true }, handler: get });
  addRoute(app, 'GET /models/:id/*', get, { answersHead: true });
}

/** Answers with a file; with the manifest, the list or the download's status if the model has no file with that name. */
async function answerGet(options: FileRoutesOptions, sending: FileSending, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { store, downloadStatus } = options;
  const targets = parseModelUrl(request.originalUrl);
  const target = await chooseTarget(store, targets);
  const { modelId } = target;
  await requireRevision(store, modelId, (request.query as { source_revision?: unknown }).source_revision);
  const [path = ''] = target.paths;
  const accept = request.headers.accept ?? '';
  if (path === 'manifest' && accept.includes(own.manifest)) return answerManifest(options, request, reply, modelId);
  if (path === 'files' && accept.includes(own.files)) return sendJson(reply, await store.listFiles(modelId));
  try {
    return await answerFile(sending, request, reply, target);
  } catch (error) {
    if (!(error instanceof SkulkError) || reply.sent) throw error;
    const asked = targets.find(({ paths }) => paths[0] === statusPath);
    if (asked !== undefined && (error.code === 'FILE_NOT_FOUND' || error.code === 'MODEL_NOT_FOUND'))
      return downloadStatus({ modelId: asked.modelId, downloadId: downloadIdIn(request) });
    if (error.code !== 'FILE_NOT_FOUND') throw error;
    if (path === 'manifest') return answerManifest(options, request, reply, modelId);
    if (path === 'files') return sendJson(reply, await store.listFiles(modelId));
    throw error;
  }
}

/**
 * Later releases of the Python program request the files of one revision.
 * @throws SkulkError REVISION_NOT_FOUND; STORE_BUSY while it is unknown
 */
async function requireRevision(store: LocalStore, modelId: ModelId, revision: unknown): Promise<void> {
  if (revision === undefined) return;
  const wanted = parseRevision(String(revision));
  const answer = await store.manifest(modelId);
  if (answer.state === 'hashing')
    throw new SkulkError('STORE_BUSY', `${modelId} is being hashed`, { retryAfterMs: answer.retryAfterMs, hint: 'try again in a moment' });
  if (answer.state === 'ready') checkRevision({ modelId, revision: wanted }, answer.manifest);
}

/** A bare model has no content, so only interpretations with a file count. If there are two, it is `org/name` if the store has it. */
async function chooseTarget(store: LocalStore, readings: readonly ModelTarget[]): Promise<ModelTarget> {
  const [first, second] = readings.filter(({ paths }) => paths.length > 0);
  const bare = readings.find(({ paths }) => paths.length === 0);
  if (first !== undefined && (await store.has(first.modelId))) return first;
  if (first?.refusal !== undefined) throw first.refusal;
  if (first === undefined || (bare !== undefined && (await store.has(bare.modelId))))
    throw new SkulkError('NOT_FOUND', 'the path of a file is missing', { hint: 'request /models/{id}/files or /models/{id}/{path}' });
  return second !== undefined && (await store.has(second.modelId)) ? second : first;
}

async function answerDelete({ remove }: FileRoutesOptions, request: FastifyRequest): Promise<object> {
  const targets = parseModelUrl(request.originalUrl.replace(/\/+(?=$|\?)/, ''));
  const target = targets.find(({ paths }) => paths.length === 0);
  if (target === undefined) throw new SkulkError('BAD_PATH', 'single files cannot be deleted', { hint: 'delete the whole model' });
  const outcome = await remove({ modelId: target.modelId }, { force: forceOf(request), waitMs: waitOf(request) });
  request.log.info({ model: target.modelId }, 'deleted');
  return { modelId: target.modelId, deleted: true, ...outcome };
}

async function answerDeleteOne({ remove }: FileRoutesOptions, request: FastifyRequest): Promise<object> {
  const ref = { modelId: modelOf(request), selector: selectorOf(request) };
  const outcome = await remove(ref, { force: forceOf(request), waitMs: waitOf(request) });
  request.log.info({ model: ref.modelId, selector: ref.selector }, 'deleted');
  return { modelId: ref.modelId, deleted: true, ...outcome };
}
