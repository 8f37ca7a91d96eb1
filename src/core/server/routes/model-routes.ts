import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseWantedFiles, type WantedFiles, type WantedFilesBody } from '../../catalog/selection/wanted-files.ts';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { parseModelId, parseRevision } from '../../kernel/model-id.ts';
import { faultFinderOf } from '../../kernel/validate.ts';
import { lookAtHub } from '../../operations/models/look-at-hub.ts';
import { showModel } from '../../operations/models/show-model.ts';
import { verifyModels } from '../../operations/models/verify-models.ts';
import { forNodes, forReaders } from '../access/require-role.ts';
import type { Limits } from '../app/limits.ts';
import { streamWork } from '../files/stream-work.ts';
import { sendJson } from './json-cache.ts';
import { modelOf } from './model-of.ts';
import {
  downloadBodySchema,
  errorSchema,
  hubOfferSchema,
  linesSchema,
  modelParams,
  query,
  shownModelSchema,
  verifyBodySchema,
} from './schemas.ts';

/** Looking closely at one model, in the store or on Hugging Face, and hashing models again. */
export function addModelRoutes(app: FastifyInstance, deps: () => Promise<Deps>, { progressIntervalMs: intervalMs }: Limits): void {
  const failures = { 400: errorSchema, 404: errorSchema, 503: errorSchema };
  const params = modelParams;
  const show = async (request: FastifyRequest, reply: FastifyReply): Promise<object> =>
    sendJson(reply, await showModel(await deps(), { modelId: modelOf(request) }));
  const look = async (request: FastifyRequest, reply: FastifyReply): Promise<object> => {
    const { revision, wanted } = request.query as { revision?: unknown; wanted?: unknown };
    if (revision !== undefined && typeof revision !== 'string')
      throw new SkulkError('BAD_REQUEST', 'revision is given more than once', { hint: 'e.g. ?revision=main' });
    const asked = { modelId: modelOf(request), ...(revision !== undefined && { revision: parseRevision(revision) }) };
    return lookAtHub(await deps(), { ...asked, wanted: parseWanted(wanted), signal: untilGone(reply) });
  };
  const shown = { summary: 'One model: files, digests, tags, companions, on which nodes it is staged', params };
  const offered = {
    summary: 'What a download from Hugging Face would bring, with a choice of GGUF quantizations',
    params,
    querystring: query('revision', 'wanted'),
  };
  app.get('/store/models/:id', { config: forReaders, schema: { ...shown, response: { 200: shownModelSchema, ...failures } } }, show);
  app.get('/store/models/:org/:name', { config: forReaders, schema: { hide: true } }, show);
  // It makes this machine ask Hugging Face, so it is not for every page.
  app.get(
    '/store/hub/:id',
    { config: { ...forNodes, ownPagesOnly: true }, schema: { ...offered, response: { 200: hubOfferSchema, ...failures } } },
    look,
  );
  app.get('/store/hub/:org/:name', { config: { ...forNodes, ownPagesOnly: true }, schema: { hide: true } }, look);
  app.post(
    '/store/verify',
    {
      config: forNodes,
      schema: { summary: 'Hash models again and compare', body: verifyBodySchema, response: { 200: linesSchema, ...failures } },
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request: FastifyRequest, reply: FastifyReply) => {
      const { model_ids = [], repair = false } = request.body as { model_ids?: readonly string[]; repair?: boolean };
      const wanted = { modelIds: model_ids.map(parseModelId), staging: false, repair };
      const { world, ...known } = await deps();
      await streamWork({ request, reply, intervalMs }, ({ signal, onBytes }) => {
        const emit: typeof world.emit = (event) => {
          if (event.type === 'progress') onBytes?.(event.bytesDone, event.bytesTotal);
          else world.emit(event);
        };
        return verifyModels({ ...known, world: { ...world, signal: AbortSignal.any([signal, world.signal]), emit } }, wanted);
      });
      return reply;
    },
  );
}

const findFault = faultFinderOf(downloadBodySchema);

/** The wishes of a query: the same fields as in the body of a download, as one text of JSON. */
function parseWanted(text: unknown): WantedFiles | undefined {
  if (text === undefined) return undefined;
  const refuse = (why: string): never => {
    throw new SkulkError('BAD_REQUEST', `wanted ${why}`, {
      hint: 'give the fields of a download as JSON, e.g. ?wanted={"selector":"Q4_K_M"}',
    });
  };
  if (typeof text !== 'string') return refuse('is given more than once');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  const fault = findFault(body);
  return fault === undefined ? parseWantedFiles(body as WantedFilesBody) : refuse(fault);
}

/** Aborts when the client goes away before it is answered. */
function untilGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort(new SkulkError('INTERRUPTED', 'the client went away')));
  return gone.signal;
}
