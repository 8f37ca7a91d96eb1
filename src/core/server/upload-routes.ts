import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseManifest } from '../catalog/manifest.ts';
import { SkulkError } from '../kernel/errors.ts';
import { type ModelId, parseModelId, parseRevision } from '../kernel/model-id.ts';
import { isSha256, type Sha256 } from '../kernel/sha256.ts';
import type { Uploads } from '../store/contract.ts';
import { forNodes } from './access/require-role.ts';
import { errorSchema, linesSchema, query } from './schemas.ts';
import { streamWork } from './stream-work.ts';

const mostManifestBytes = 64 * 1024 * 1024;

/** What `skulk add` on another machine uses: the manifest, then the pieces that the store lacks, then the end. */
export function addUploadRoutes(app: FastifyInstance, { uploads, intervalMs }: { uploads: Uploads; intervalMs: number }): void {
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  const response = { 400: errorSchema, 404: errorSchema, 409: errorSchema };
  const isForced = (request: FastifyRequest): boolean => (request.query as { force?: unknown }).force === 'true';

  app.put(
    '/uploads/:id',
    {
      config: forNodes,
      bodyLimit: mostManifestBytes,
      schema: {
        summary: 'Announce a model by its manifest; the answer names the pieces that the store lacks',
        querystring: query('replace'),
        response,
      },
    },
    async (request) => {
      const modelId = parseModelId((request.params as { id: string }).id);
      const manifest = readManifest(request.body, modelId);
      const missing = await uploads.begin(manifest, { force: isForced(request), signal: signalOf(request) });
      request.log.info({ model: modelId, digest: manifest.digest, missing: missing.length }, 'upload announced');
      return { digest: manifest.digest, missing: missing.map(({ file, start }) => [file, start]) };
    },
  );
  app.put(
    '/uploads/:id/:digest/:file/:start',
    {
      config: { ...forNodes, isRoutine: true },
      schema: { summary: 'One piece, as bytes; it counts when it is what the manifest says', response },
    },
    async (request, reply) => {
      const { file, start } = request.params as { file: string; start: string };
      if (![file, start].every((number) => /^\d{1,15}$/.test(number))) throw badPiece();
      const body = request.body as Readable | null | undefined;
      if (body === null || body === undefined || typeof body.pipe !== 'function') throw badPiece();
      await uploads.put(uploadOf(request), { file: Number(file), start: Number(start) }, body, signalOf(request));
      return (reply as FastifyReply).code(204).send();
    },
  );
  app.post(
    '/uploads/:id/:digest/complete',
    {
      config: forNodes,
      schema: {
        summary: 'Make the model of what has come',
        querystring: query('replace', 'revision'),
        response: { 200: linesSchema, ...response },
      },
    },
    async (request: FastifyRequest, reply: FastifyReply) => {
      const { revision } = request.query as { revision?: unknown };
      const wanted = {
        ...uploadOf(request),
        force: isForced(request),
        ...(revision !== undefined && { revision: parseRevision(String(revision)) }),
      };
      await streamWork({ request, reply, intervalMs }, (options) => uploads.complete(wanted, options));
      return reply;
    },
  );
}

function uploadOf(request: FastifyRequest): { readonly modelId: ModelId; readonly digest: Sha256 } {
  const { id, digest } = request.params as { id: string; digest: string };
  if (!isSha256(digest)) throw badPiece();
  return { modelId: parseModelId(id), digest };
}

/** A manifest that cannot be is the client's mistake here, not damage of the store. */
function readManifest(body: unknown, modelId: ModelId) {
  try {
    const manifest = parseManifest(body, 'the client');
    if (manifest.model_id === modelId) return manifest;
  } catch (error) {
    throw new SkulkError('BAD_REQUEST', (error as Error).message, { hint: 'send what skulk itself makes' });
  }
  throw new SkulkError('BAD_REQUEST', 'the manifest is of another model than the URL', { hint: 'send what skulk itself makes' });
}

function signalOf(request: FastifyRequest): AbortSignal {
  const abort = new AbortController();
  request.raw.once('close', () => {
    if (!request.raw.complete) abort.abort(new SkulkError('INTERRUPTED', 'the client went away'));
  });
  return abort.signal;
}

const badPiece = (): SkulkError =>
  new SkulkError('BAD_REQUEST', 'that is no piece of an upload', {
    hint: 'PUT /uploads/{id}/{digest}/{file}/{start} with application/octet-stream',
  });
