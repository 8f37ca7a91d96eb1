import { callOf } from '../protocol/routes/call.ts';
import { type SwarmList, swarmList } from '../protocol/staging.ts';
import type { Exchange } from './http/exchange.ts';
import { readAnswer } from './http/read-answer.ts';
import { readJson } from './http/read-body.ts';

const maxBytes = 4 * 1024 * 1024;

/** The models that nodes share from a store behind HTTP, and those that they shared last. */
export const askSwarms = (exchange: Exchange): Promise<SwarmList> =>
  exchange.send(callOf('GET /store/swarm', {}), async (response, watchdog) => {
    const { url } = exchange;
    return readAnswer(swarmList, await readJson(response, { url, limit: maxBytes, watchdog }), { url, why: 'it does not list its swarms' });
  });
