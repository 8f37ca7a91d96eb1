import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SkulkError } from '../../kernel/errors.ts';
import { parseRelativePath } from '../../kernel/files/relative-path.ts';
import { parseModelId, parseRevision } from '../../kernel/model-id.ts';
import { mayActAs } from '../../kernel/role.ts';
import { isSha256 } from '../../kernel/sha256.ts';
import type { AdoptRequest, LocalStore } from '../../store/contract.ts';
import { forNodes } from '../access/require-role.ts';
import { streamWork } from '../files/stream-work.ts';
import { adoptBodySchema, errorSchema, linesSchema, modelParams, verifyBodySchema } from './schemas.ts';

interface AdoptBody {
  readonly incoming?: string;
  readonly digest?: string;
  readonly revision?: string;
  readonly force?: boolean;
}

interface VerifyBody {
  readonly model_ids?: readonly string[];
  readonly repair?: boolean;
}

/** The routes whose work takes long: adopt and verify. */
export function addWorkRoutes(app: FastifyInstance, { store, intervalMs }: { store: LocalStore; intervalMs: number }): void {
  const preValidation = async (request: FastifyRequest): Promise<void> => {
    request.body ??= {};
  };
  const adopt = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { org, id, name } = request.params as { org?: string; id?: string; name?: string };
    const wanted = parseAdopt(id ?? `${org}/${name}`, request.body as AdoptBody);
    request.log.info({ model: wanted.modelId, incoming: wanted.incoming }, 'adopting');
    // What is a model may be read and deleted by whoever changes models, so nobody else makes one of what a person put there.
    const mayTakeInPlace = mayActAs(request.asker.role, 'admin');
    await streamWork({ request, reply, intervalMs }, (options) => store.adopt({ ...wanted, mayTakeInPlace }, options));
    return reply;
  };
  const response = { 200: linesSchema, 400: errorSchema, 403: errorSchema, 404: errorSchema, 409: errorSchema };
  app.post(
    '/models/:id/adopt',
    {
      config: forNodes,
      schema: {
        summary: 'Take a directory of incoming/ into the store; with the role admin also one that lies in the place of the model',
        params: modelParams,
        body: adoptBodySchema,
        response,
      },
      preValidation,
    },
    adopt,
  );
  app.post('/models/:org/:name/adopt', { config: forNodes, schema: { hide: true, body: adoptBodySchema }, preValidation }, adopt);
  app.post(
    '/verify',
    { config: forNodes, schema: { summary: 'Hash models again and compare', body: verifyBodySchema, response }, preValidation },
    async (request, reply) => {
      const { model_ids = [], repair = false } = request.body as VerifyBody;
      const wanted = { modelIds: model_ids.map(parseModelId), repair };
      await streamWork({ request, reply, intervalMs }, (options) => store.verify(wanted, options));
      return reply;
    },
  );
}

function parseAdopt(id: string, { incoming, digest, revision, force }: AdoptBody): AdoptRequest {
  if (incoming !== undefined && parseRelativePath(incoming).includes('/')) {
    throw new SkulkError('BAD_PATH', 'incoming is the name of a directory, not a path', {
      hint: "it lies directly inside the store's incoming/",
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
