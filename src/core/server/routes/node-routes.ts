import type { FastifyInstance } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import { type ModelRef, parseModelId, parseModelRef, parseRevision } from '../../kernel/model-id.ts';
import { listStaging } from '../../operations/nodes/list-staging.ts';
import type { StagingJobs } from '../../operations/stage/staging-jobs.ts';
import { forNodes, forReaders } from '../access/require-role.ts';
import type { EventStreams } from '../events/event-stream.ts';
import { createNodeFeed, type OnConfig } from '../events/node-events.ts';
import { modelOf } from './model-of.ts';
import { errorSchema, modelParams, nodeEventsSchema, stageBodySchema, stagingJobSchema } from './schemas.ts';

/** Who a serving node is. */
export interface NodeIdentity {
  readonly hostname: string;
  readonly node_id: string | null;
  /** The address at which other machines reach it, when it is known. */
  readonly preferred_address: string | null;
  readonly version: string;
  readonly role: string;
}

/** What is said of this very node, and asked of it; none of it goes on to the store host. */
export function addNodeRoutes(
  app: FastifyInstance,
  deps: Deps,
  { identity, jobs, onConfig, streams }: { identity: () => NodeIdentity; jobs: StagingJobs; onConfig: OnConfig; streams: EventStreams },
): void {
  const open = { type: 'object', additionalProperties: true } as const;
  const failures = { 400: errorSchema, 404: errorSchema, 409: errorSchema };
  app.get('/store/storage', { config: forReaders, schema: { summary: "This node's staged copies", response: { 200: open } } }, async () =>
    listStaging(deps),
  );
  app.get('/node/identity', { config: forReaders, schema: { summary: 'Who this node is', response: { 200: open } } }, async () =>
    identity(),
  );
  const feed = createNodeFeed(deps, { jobs, onConfig });
  app.get(
    '/node/events',
    { config: { ...forReaders, ownPagesOnly: true, isEndless: true }, schema: nodeEventsSchema, exposeHeadRoute: false },
    (request, reply) => streams.answer(request, reply, feed),
  );
  const list = { ...open, properties: { jobs: { type: 'array', items: stagingJobSchema } } } as const;
  app.get(
    '/node/stage',
    { config: forReaders, schema: { summary: 'What this node stages, and what ended last', response: { 200: list } } },
    async () => ({
      jobs: jobs.list(),
    }),
  );
  app.post(
    '/node/stage',
    {
      config: forNodes,
      schema: {
        summary: 'Make a verified copy on this node; GET /node/events says how far it is',
        body: stageBodySchema,
        response: { 202: stagingJobSchema, ...failures },
      },
    },
    async (request, reply) => {
      const ref = readRef(request.body as StageBody);
      request.log.info({ model: ref.modelId, from: request.ip }, 'asked to stage');
      return reply.code(202).send(await jobs.ask(ref));
    },
  );
  for (const [id, hide] of [
    [':id', false],
    [':org/:name', true],
  ] as const) {
    const shown = {
      summary: 'Stop staging; what is verified is kept',
      params: modelParams,
      response: { 200: stagingJobSchema, ...failures },
    };
    app.delete(`/node/stage/${id}`, { config: forNodes, schema: hide ? { hide } : shown }, async (request) =>
      jobs.cancel(modelOf(request)),
    );
  }
}

interface StageBody {
  readonly model_id: string;
  readonly revision?: string | null;
  readonly selector?: string | null;
}

function readRef({ model_id, revision, selector }: StageBody): ModelRef {
  const modelId = parseModelId(model_id);
  const part = selector == null ? undefined : parseModelRef(`${modelId}:${selector}`).selector;
  return { modelId, ...(revision != null && { revision: parseRevision(revision) }), ...(part !== undefined && { selector: part }) };
}
