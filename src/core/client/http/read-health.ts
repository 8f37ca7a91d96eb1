import type { StoreHealth } from '../../protocol/health.ts';
import { callOf } from '../../protocol/routes/call.ts';
import type { Exchange } from './exchange.ts';
import { healthOf } from './read-answer.ts';
import { readJson } from './read-body.ts';

const maxBytes = 1024 * 1024;

/** Reads the store's health. @param silenceMs how long the store may be silent; by default the exchange's own limit */
export const readHealth = async (exchange: Exchange, { silenceMs }: { readonly silenceMs?: number } = {}): Promise<StoreHealth> => {
  const { url } = exchange;
  const answer = await exchange.send({ ...callOf('GET /health', {}), silenceMs }, (response, watchdog) =>
    readJson(response, { url, limit: maxBytes, watchdog }),
  );
  return healthOf(answer, url);
};
