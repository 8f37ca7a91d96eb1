import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import { type ModelId, parseModelId, parseRevision } from '../../kernel/model-id.ts';
import { mayActAs } from '../../kernel/role.ts';
import { isSha256, type Sha256 } from '../../kernel/sha256.ts';
import type { HostAnnouncement, HostUploads, UploadList } from '../../store/upload-contract.ts';
import type { Limits } from '../app/limits.ts';
import { createSlots } from '../files/slots.ts';
import { streamWork } from '../files/stream-work.ts';
import { addRoute } from './add-route.ts';

/** The routes for `skulk add` on another machine: the manifest, then the missing pieces, then the completion. */
export function addUploadRoutes(app: FastifyInstance, { uploads, limits }: { uploads: HostUploads; limits: Limits }): void {
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  const isForced = (request: FastifyRequest): boolean => (request.query as { force?: unknown }).force === 'true';
  const announcements = createSlots('models are being announced', limits.announcements, limits.announcementsPerAddress);
  const pieces = createSlots('pieces are being sent', limits.uploadPieces, limits.uploadPiecesPerAddress);

  addUploadListRoutes(app, '/uploads', async () => uploads);
  const announce = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const modelId = parseModelId((request.params as { id: string }).id);
    const release = announcements.take(request.ip);
    try {
      const body = streamOf(request.body) ?? Readable.from([]);
      const sender = { address: request.ip, who: request.asker.name ?? null };
      const announced = await uploads.announce(body, { modelId, sender, force: isForced(request), signal: signalOf(request) });
      request.log.info({ model: modelId, digest: announced.digest, missing: announced.missingCount, from: request.ip }, 'upload announced');
      return reply.type('application/json; charset=utf-8').send(Readable.from(announcementText(announced)));
    } finally {
      release();
    }
  };
  // The manifest is written to the disk as it arrives: only this route accepts JSON without parsing it here.
  void app.register(async (inner) => {
    inner.removeContentTypeParser('application/json');
    inner.addContentTypeParser('application/json', (_request, payload, done) => done(null, payload));
    addRoute(inner, 'PUT /uploads/:id', announce, { bodyLimit: limits.manifestBytes });
  });
  const putPiece = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { file, start } = request.params as { file: string; start: string };
    if (![file, start].every((number) => /^\d{1,15}$/.test(number))) throw badPiece();
    const body = streamOf(request.body);
    if (body === undefined) throw badPiece();
    const release = pieces.take(request.ip);
    try {
      await uploads.put(uploadOf(request), { file: Number(file), start: Number(start) }, body, signalOf(request));
    } finally {
      release();
    }
    return reply.code(204).send();
  };
  const complete = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { revision } = request.query as { revision?: unknown };
    const wanted = {
      ...uploadOf(request),
      force: isForced(request),
      ...(revision !== undefined && { revision: parseRevision(String(revision)) }),
    };
    await streamWork({ request, reply, intervalMs: limits.progressIntervalMs }, (options) => uploads.complete(wanted, options));
    return reply;
  };
  addRoute(app, 'PUT /uploads/:id/:digest/:file/:start', putPiece, { isRoutine: true });
  addRoute(app, 'POST /uploads/:id/:digest/complete', complete);
}

/** Lists and cancels unfinished uploads, below a separate prefix on each port. */
export function addUploadListRoutes(app: FastifyInstance, prefix: '/uploads' | '/store/uploads', uploads: () => Promise<UploadList>): void {
  addRoute(app, `GET ${prefix}`, async () => ({ uploads: await (await uploads()).list() }));
  // The sender's id lets anyone cancel an upload; the id in the list requires an admin.
  addRoute(app, `DELETE ${prefix}/:upload`, async (request) => {
    const { upload } = request.params as { upload: string };
    const { of } = request.query as { of?: unknown };
    const mayCancelOthers = mayActAs(request.asker.role, 'admin');
    const cancelled = await (await uploads()).cancel(upload, { mayCancelOthers, ...(of !== undefined && { of: String(of) }) });
    request.log.info({ model: cancelled.model_id, upload: cancelled.id, from: request.ip }, 'upload cancelled');
    return cancelled;
  });
}

function uploadOf(request: FastifyRequest): { readonly modelId: ModelId; readonly digest: Sha256; readonly upload?: string } {
  const { id, digest } = request.params as { id: string; digest: string };
  const { upload } = request.query as { upload?: unknown };
  if (!isSha256(digest)) throw badPiece();
  return { modelId: parseModelId(id), digest, ...(typeof upload === 'string' && { upload }) };
}

async function* announcementText({ digest, upload, missing }: HostAnnouncement): AsyncGenerator<string> {
  yield `{"digest":${JSON.stringify(digest)},"upload":${JSON.stringify(upload)},"missing":[`;
  let isFirst = true;
  for await (const part of missing()) {
    if (part.length === 0) continue;
    yield `${isFirst ? '' : ','}${part.map(({ file, start }) => `[${file},${start}]`).join(',')}`;
    isFirst = false;
  }
  yield ']}';
}

const streamOf = (body: unknown): Readable | undefined => (body instanceof Readable ? body : undefined);

function signalOf(request: FastifyRequest): AbortSignal {
  const abort = new AbortController();
  request.raw.once('close', () => {
    if (!request.raw.complete) abort.abort(new SkulkError('INTERRUPTED', 'the client disconnected'));
  });
  return abort.signal;
}

const badPiece = (): SkulkError =>
  new SkulkError('BAD_REQUEST', 'the path is not that of a piece of an upload', {
    hint: 'PUT /uploads/{id}/{digest}/{file}/{start} with application/octet-stream',
  });
