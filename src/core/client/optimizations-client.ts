import type { Optimizations, OptimizeWishes } from '../jobs/contract.ts';
import {
  type OptimizationStatus,
  type OptimizeBody,
  optimizationList,
  optimizationPlan,
  optimizationStatus,
} from '../protocol/optimizations.ts';
import { callOf } from '../protocol/routes/call.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';
import { refuseForOther } from './refuse-for-other.ts';

const maxBytes = 4 * 1024 * 1024;
const optimize = 'optimize models at its store port; its own dashboard does';
/** The store asks its engine for the expected result, and other requests may be first. */
const silenceMs = 120_000;

/** The optimizations of a store behind HTTP. */
export function createOptimizationsClient(exchange: Exchange): Optimizations {
  const { url } = exchange;
  const send = (call: Call): Promise<unknown> =>
    exchange.send(call, (response, watchdog) => readJson(response, { url, limit: maxBytes, watchdog }));
  const statusOf = (value: unknown): OptimizationStatus =>
    readAnswer(optimizationStatus, value, { url, why: 'it does not report the state of the optimization' });
  return {
    ask: async (wishes, { join = false } = {}) => {
      const json = { ...bodyOf(wishes), ...(join && { join }) };
      const call = { ...callOf('POST /store/models/:id/optimize', { id: wishes.modelId }), json, silenceMs };
      return statusOf(await refuseForOther(exchange, optimize, () => send(call)));
    },
    plan: async (wishes) => {
      const call = callOf('POST /store/models/:id/optimize/plan', { id: wishes.modelId });
      const answer = await refuseForOther(exchange, optimize, () => send({ ...call, json: bodyOf(wishes), silenceMs }));
      return readAnswer(optimizationPlan, answer, { url, why: 'it does not report what it would make' });
    },
    status: async (modelId) => statusOf(await send(callOf('GET /store/models/:id/optimize/status', { id: modelId }))),
    list: async ({ recent = false } = {}) => {
      const answer = await refuseForOther(exchange, optimize, () => send(callOf('GET /store/optimizations', {}, { recent })));
      return readAnswer(optimizationList, answer, { url, why: 'its optimizations are not a list' }).optimizations;
    },
    cancel: async (modelId) => statusOf(await send({ ...callOf('DELETE /store/models/:id/optimize', { id: modelId }), silenceMs })),
  };
}

function bodyOf({
  selector,
  engine,
  targetBpw,
  type,
  candidateBits,
  targetId,
  threads,
  allowRequantize,
  force,
}: OptimizeWishes): OptimizeBody {
  return {
    ...(selector !== undefined && { selector }),
    ...(engine !== undefined && { engine }),
    ...(targetBpw !== undefined && { target_bpw: targetBpw }),
    ...(type !== undefined && { type }),
    ...(candidateBits !== undefined && { candidate_bits: candidateBits }),
    ...(targetId !== undefined && { as: targetId }),
    ...(threads !== undefined && { threads }),
    ...(allowRequantize === true && { allow_requantize: true }),
    ...(force === true && { force: true }),
  };
}
