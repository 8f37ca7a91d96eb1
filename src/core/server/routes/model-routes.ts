import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseWantedFiles, type WantedFiles } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { parseModelRef, parseRevision } from '../../kernel/model-id.ts';
import { inspectHub } from '../../operations/models/inspect-hub.ts';
import { maxFound, searchHub } from '../../operations/models/search-hub.ts';
import { showModel } from '../../operations/models/show-model.ts';
import { verifyModels } from '../../operations/models/verify-models.ts';
import { downloadBody, type WantedFilesBody } from '../../protocol/downloads.ts';
import type { VerifyBody } from '../../protocol/work.ts';
import type { Limits } from '../app/limits.ts';
import { streamWork } from '../files/stream-work.ts';
import { addRoute } from './add-route.ts';
import { sendJson } from './json-cache.ts';
import { modelOf } from './model-of.ts';

/** Describes one model, in the store or on Hugging Face, and verifies models. */
export function addModelRoutes(app: FastifyInstance, deps: () => Promise<Deps>, { progressIntervalMs: intervalMs }: Limits): void {
  const show = async (request: FastifyRequest, reply: FastifyReply): Promise<object> =>
    sendJson(reply, await showModel(await deps(), { modelId: modelOf(request) }));
  const showHubModel = async (request: FastifyRequest, reply: FastifyReply): Promise<object> => {
    const { revision, wanted, kept } = request.query as { revision?: unknown; wanted?: unknown; kept?: unknown };
    if (revision !== undefined && typeof revision !== 'string')
      throw new SkulkError('BAD_REQUEST', 'revision must be given only once', { hint: 'e.g. ?revision=main' });
    const asked = { modelId: modelOf(request), ...(revision !== undefined && { revision: parseRevision(revision) }) };
    const mayBeKept = kept === 'true';
    return inspectHub(await deps(), { ...asked, wanted: await parseWanted(wanted), mayBeKept, signal: untilGone(reply) });
  };
  const search = async (request: FastifyRequest, reply: FastifyReply): Promise<object> => {
    const { search: text, limit = '20' } = request.query as { search?: unknown; limit?: unknown };
    if (typeof text !== 'string' || text.trim() === '' || text.length > 200)
      throw new SkulkError('BAD_REQUEST', 'search must be a text of 1 to 200 characters', { hint: 'e.g. ?search=qwen3' });
    if (typeof limit !== 'string' || !/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > maxFound)
      throw new SkulkError('BAD_REQUEST', `limit must be a number from 1 to ${maxFound}`, { hint: 'e.g. ?search=qwen3&limit=20' });
    return searchHub(await deps(), { query: text.trim(), limit: Number(limit), signal: untilGone(reply) });
  };
  const verify = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { model_ids = [], repair = false } = request.body as VerifyBody;
    const wanted = { refs: model_ids.map(parseModelRef), staging: false, repair };
    const { world, ...known } = await deps();
    await streamWork({ request, reply, intervalMs }, ({ signal, onBytes }) => {
      const emit: typeof world.emit = (event) => {
        if (event.type === 'progress') onBytes?.(event.bytesDone, event.bytesTotal);
        else world.emit(event);
      };
      return verifyModels({ ...known, world: { ...world, signal: AbortSignal.any([signal, world.signal]), emit } }, wanted);
    });
    return reply;
  };
  addRoute(app, 'GET /store/models/:id', show);
  addRoute(app, 'GET /store/hub', search);
  addRoute(app, 'GET /store/hub/:id', showHubModel);
  addRoute(app, 'POST /store/verify', verify);
}

/** The download options in a query: the same fields as in the body of a download, as one text of JSON. */
async function parseWanted(text: unknown): Promise<WantedFiles | undefined> {
  if (text === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new SkulkError('BAD_REQUEST', `wanted ${why}`, {
      hint: 'pass the fields of a download as JSON, e.g. ?wanted={"selector":"Q4_K_M"}',
    });
  };
  if (typeof text !== 'string') return refuse('is given more than once');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  const { faultFinderOf } = await import('../../kernel/validate.ts');
  const fault = faultFinderOf(downloadBody)(body);
  return fault === undefined ? parseWantedFiles(body as WantedFilesBody) : refuse(`is not valid: ${fault}`);
}

/** Aborts when the client disconnects before its answer. */
function untilGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort(new SkulkError('INTERRUPTED', 'the client disconnected')));
  return gone.signal;
}
