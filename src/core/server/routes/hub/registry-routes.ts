import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mediaTypes } from '../../../endpoint/registry/media-types.ts';
import { RegistryRefusal } from '../../../endpoint/registry/refusal.ts';
import type { Sha256 } from '../../../kernel/sha256.ts';
import { type FileResponse, planFileResponse, refusalOf } from '../../files/plan-file-response.ts';
import { addRoute, type OwnOptions } from '../add-route.ts';
import { sendHead } from '../answer-file.ts';
import type { HubRoutesOptions } from './add-hub-routes.ts';
import { conditionsOf } from './file-routes.ts';
import { ownUrl } from './own-url.ts';
import { answerRegistryError, registryVersion } from './registry-error.ts';
import { sendHubFile } from './send-hub-file.ts';
import { untilGone } from './until-gone.ts';

/** The options of the routes below `/v2/`. */
type RegistryRoutesOptions = Pick<HubRoutesOptions, 'backend' | 'registry' | 'sending' | 'origins'>;

/** The store as a registry for Ollama and llama.cpp (docs/hub-endpoint.md, "Ollama and llama.cpp"). */
export function addRegistryRoutes(app: FastifyInstance, options: RegistryRoutesOptions): void {
  const errorHandler = async (error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    await options.origins.mark(request, reply).catch(() => undefined);
    return answerRegistryError(error, request, reply);
  };
  const own: OwnOptions = { isForStrangers: true, isRoutine: true, errorHandler };
  addRoute(app, 'GET /v2/', (_, reply) => reply.headers(registryVersion).send({}), own);
  addRoute(app, 'GET /v2/:org/:name/manifests/:tag', (request, reply) => answerManifest(options, request, reply), own);
  const both = { ...own, answersHead: true } as const;
  addRoute(app, 'GET /v2/:org/:name/blobs/:digest', (request, reply) => answerBlob(options, request, reply), both);
  const others = (method: string[], role: 'read' | 'node', error: RegistryRefusal): void => {
    const refuse = async (): Promise<never> => {
      throw error;
    };
    const config = { role, isForStrangers: true, isForWhatIsLeft: true } as const;
    // Nothing needs the body, so it is not read.
    app.route({
      method,
      url: '/v2/*',
      config,
      schema: { hide: true },
      errorHandler,
      preParsing: refuse,
      handler: refuse,
    });
  };
  others(['GET', 'HEAD'], 'read', nothingHere);
  others(['POST', 'PUT', 'PATCH', 'DELETE'], 'node', readOnly);
}

const nothingHere = new RegistryRefusal(
  'NAME_UNKNOWN',
  'not found; this registry has /v2/ORG/NAME/manifests/TAG and /v2/ORG/NAME/blobs/DIGEST',
);
const readOnly = new RegistryRefusal('DENIED', 'this store is read-only over the registry protocol; use "skulk add"');

async function answerManifest(
  { registry, origins }: RegistryRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id, rest: tag } = paramsOf(request);
  const isForLlama = /llama-cpp/i.test(request.headers['user-agent'] ?? '');
  const asker = await origins.askerOf(request);
  const { bytes, digest } = await registry.manifest({ id, tag }, { asker, isForLlama, signal: untilGone(reply) });
  reply.headers({ ...registryVersion, 'Docker-Content-Digest': digest, 'Cache-Control': 'no-cache' });
  return reply.type(mediaTypes.manifest).send(bytes);
}

async function answerBlob(
  { registry, backend, sending, origins }: RegistryRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id, rest: digest } = paramsOf(request);
  const asker = await origins.askerOf(request);
  const blob = await registry.blob({ id, digest }, { asker, signal: untilGone(reply) });
  const size = blob.kind === 'made' ? blob.bytes.length : blob.file.size;
  const plan = planBlob(request, reply, { id, sha256: blob.sha256, size, isPublic: await origins.isPublic() });
  if (blob.kind === 'file') return sendHubFile({ backend, sending }, request, reply, { repo: blob.repo, file: blob.file, plan, asker });
  sendHead(reply, plan).raw.end(plan.range === null ? undefined : blob.bytes.subarray(plan.range.start, plan.range.end));
  return reply;
}

/** Plans the answer for a blob. @throws SkulkError PRECONDITION_FAILED, RANGE_NOT_SATISFIABLE */
export function planBlob(
  request: FastifyRequest,
  reply: FastifyReply,
  { id, sha256, size, isPublic }: { readonly id: string; readonly sha256: Sha256; readonly size: number; readonly isPublic: boolean },
): FileResponse {
  const planned = planFileResponse(conditionsOf(request), { size, sha256 });
  const digest = `sha256:${sha256}`;
  const refusal = refusalOf(planned, size);
  if (refusal !== undefined) {
    reply.headers({ ...registryVersion, ...(planned.status === 416 && { 'Content-Range': `bytes */${size}` }) });
    throw refusal;
  }
  const headers = {
    ...planned.headers,
    ...registryVersion,
    'Docker-Content-Digest': digest,
    'Cache-Control': `${isPublic ? 'public' : 'private'}, max-age=31536000, immutable`,
    // Ollama requests the parts of a file from this URL, and fails without it, although nothing has moved.
    ...(planned.status === 200 && request.method === 'GET' && { Location: ownUrl(request, `/v2/${id}/blobs/${digest}`) }),
  };
  return { ...planned, headers };
}

function paramsOf({ params }: FastifyRequest): { readonly id: string; readonly rest: string } {
  const { org = '', name = '', tag, digest = '' } = params as Readonly<Record<string, string>>;
  return { id: `${org}/${name}`, rest: tag ?? digest };
}
