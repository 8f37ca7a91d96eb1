import type { FastifyInstance } from 'fastify';
import type { Deps } from '../../connect/deps.ts';
import type { OptimizeWishes } from '../../jobs/contract.ts';
import { type ModelId, parseModelId, parseSelector } from '../../kernel/model-id.ts';
import { cancelOptimization, listOptimizations, optimizationStatus, optimize, planOptimization } from '../../operations/models/optimize.ts';
import type { OptimizeBody } from '../../protocol/optimizations.ts';
import { noteJob } from '../access/log-changes.ts';
import { addRoute } from './add-route.ts';
import { modelOf } from './model-of.ts';

/** Smaller variants of models: request, show and cancel them. */
export function addOptimizeRoutes(app: FastifyInstance, deps: () => Promise<Deps>): void {
  addRoute(app, 'GET /store/optimizations', async (request) =>
    listOptimizations(await deps(), { recent: (request.query as { recent?: unknown }).recent === 'true' }),
  );
  addRoute(app, 'POST /store/models/:id/optimize', async (request) => {
    const body = request.body as OptimizeBody;
    const wishes = parseWishes(modelOf(request), body);
    request.log.info({ model: wishes.modelId }, 'optimization requested');
    const asked = await optimize(await deps(), { wishes, wait: false, join: body.join === true });
    noteJob(request, { ...asked, id: asked.targetId }, wishes.selector);
    return asked;
  });
  addRoute(app, 'POST /store/models/:id/optimize/plan', async (request) =>
    planOptimization(await deps(), parseWishes(modelOf(request), request.body as OptimizeBody)),
  );
  addRoute(app, 'GET /store/models/:id/optimize/status', async (request) =>
    optimizationStatus(await deps(), { modelId: modelOf(request) }),
  );
  addRoute(app, 'DELETE /store/models/:id/optimize', async (request) => {
    const modelId = modelOf(request);
    request.log.info({ model: modelId }, 'cancel of an optimization requested');
    return cancelOptimization(await deps(), { modelId });
  });
}

function parseWishes(
  modelId: ModelId,
  { target_bpw, candidate_bits, engine, type, selector, as, threads, allow_requantize, force }: OptimizeBody,
): OptimizeWishes {
  return {
    modelId,
    ...(target_bpw != null && { targetBpw: target_bpw }),
    ...(candidate_bits != null && { candidateBits: candidate_bits }),
    ...(engine != null && { engine }),
    ...(type != null && { type }),
    ...(selector != null && { selector: parseSelector(selector) }),
    ...(as != null && { targetId: parseModelId(as) }),
    ...(threads != null && { threads }),
    allowRequantize: allow_requantize === true,
    force: force === true,
  };
}
