import type { FastifyInstance } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import { type ModelRef, parseModelId, parseModelRef, parseRevision } from '../../kernel/model-id.ts';
import { listStaging } from '../../operations/nodes/list-staging.ts';
import type { StagingJobs } from '../../operations/stage/staging-jobs.ts';
import type { NodeIdentity } from '../../protocol/health.ts';
import type { StageBody } from '../../protocol/staging.ts';
import { noRestart, type Restart } from '../app/restart.ts';
import type { EventStreams } from '../events/event-stream.ts';
import { createNodeFeed, type OnConfig } from '../events/node-events.ts';
import { addRoute } from './add-route.ts';
import { modelOf } from './model-of.ts';

/** The routes about this node itself, which are never forwarded to the store host. */
export function addNodeRoutes(
  app: FastifyInstance,
  deps: Deps,
  {
    identity,
    restart,
    jobs,
    onConfig,
    streams,
  }: {
    identity: () => NodeIdentity;
    restart: Restart | undefined;
    jobs: StagingJobs;
    onConfig: OnConfig;
    streams: EventStreams;
  },
): void {
  addRoute(app, 'GET /store/storage', () => listStaging(deps));
  addRoute(app, 'GET /node/identity', async () => identity());
  addRoute(app, 'POST /node/restart', async (request, reply) => {
    const { hostname } = identity();
    if (restart === undefined) throw noRestart(hostname);
    await restart.check();
    request.log.info({ from: request.ip }, 'restart requested');
    // The answer has reached the client, or the client has gone.
    reply.raw.once('close', () => restart.begin());
    return reply.code(202).send({ hostname, pid: process.pid });
  });
  const feed = createNodeFeed(deps, { jobs, onConfig });
  addRoute(app, 'GET /node/events', (request, reply) => streams.answer(request, reply, feed));
  addRoute(app, 'GET /node/stage', async () => ({ jobs: jobs.list() }));
  addRoute(app, 'POST /node/stage', async (request, reply) => {
    const ref = readRef(request.body as StageBody);
    request.log.info({ model: ref.modelId, from: request.ip }, 'stage requested');
    return reply.code(202).send(await jobs.ask(ref));
  });
  addRoute(app, 'DELETE /node/stage/:id', (request) => jobs.cancel(modelOf(request)));
}

function readRef({ model_id, revision: asked, source_revision, selector }: StageBody): ModelRef {
  const modelId = parseModelId(model_id);
  const revision = asked ?? source_revision;
  const part = selector == null ? undefined : parseModelRef(`${modelId}:${selector}`).selector;
  return { modelId, ...(revision != null && { revision: parseRevision(revision) }), ...(part !== undefined && { selector: part }) };
}
