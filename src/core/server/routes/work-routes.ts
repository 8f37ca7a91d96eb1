import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import { parseRelativePath } from '../../kernel/files/relative-path.ts';
import { parseModelId, parseModelRef, parseRevision } from '../../kernel/model-id.ts';
import { mayActAs } from '../../kernel/role.ts';
import { isSha256 } from '../../kernel/sha256.ts';
import type { FoundPlace } from '../../protocol/models/adoption.ts';
import type { AdoptBody, PlaceBody, VerifyBody } from '../../protocol/work.ts';
import type { AdoptRequest } from '../../store/contract.ts';
import type { LocalStore } from '../../store/local-store.ts';
import { streamWork } from '../files/stream-work.ts';
import { addRoute } from './add-route.ts';

/** The routes with long work: adopt and verify. */
export function addWorkRoutes(app: FastifyInstance, { store, intervalMs }: { store: LocalStore; intervalMs: number }): void {
  const adopt = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { org, id, name } = request.params as { org?: string; id?: string; name?: string };
    const wanted = parseAdopt(id ?? `${org}/${name}`, request.body as AdoptBody);
    request.log.info({ model: wanted.modelId, incoming: wanted.incoming }, 'adopting a directory');
    // Any client that changes models may read and delete a model. So only an admin may turn a user's files into one.
    const mayTakeInPlace = mayActAs(request.asker.role, 'admin');
    await streamWork({ request, reply, intervalMs }, (options) => store.adopt({ ...wanted, mayTakeInPlace }, options));
    return reply;
  };
  const place = async (request: FastifyRequest): Promise<FoundPlace | undefined> => {
    const { org, id, name } = request.params as { org?: string; id?: string; name?: string };
    const { modelId, incoming } = parseAdopt(id ?? `${org}/${name}`, request.body as PlaceBody);
    return store.findPlace({ modelId, ...(incoming !== undefined && { incoming }) });
  };
  const verify = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { model_ids = [], repair = false } = request.body as VerifyBody;
    const wanted = { refs: model_ids.map(parseModelRef), repair };
    await streamWork({ request, reply, intervalMs }, (options) => store.verify(wanted, options));
    return reply;
  };
  addRoute(app, 'POST /models/:id/place', place);
  addRoute(app, 'POST /models/:id/adopt', adopt);
  addRoute(app, 'POST /verify', verify);
}

function parseAdopt(id: string, { incoming, digest, revision, force }: AdoptBody): AdoptRequest {
  if (incoming !== undefined && parseRelativePath(incoming).includes('/')) {
    throw new SkulkError('BAD_PATH', 'incoming must be the name of a directory, not a path', {
      hint: "it must be directly inside the store's incoming/",
    });
  }
  return {
    modelId: parseModelId(id),
    ...(incoming !== undefined && { incoming }),
    ...(isSha256(digest) && { digest }),
    ...(revision !== undefined && { revision: parseRevision(revision) }),
    ...(force !== undefined && { force }),
  };
}
