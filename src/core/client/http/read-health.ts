import type { StoreHealth } from '../../store/contract.ts';
import { checkHealth } from './check-answers.ts';
import type { Exchange } from './exchange.ts';
import { readJson } from './read-body.ts';

const mostBytes = 1024 * 1024;

/** How the store is. @param silenceMs how long nothing may come; the exchange's own when absent */
export const readHealth = async (exchange: Exchange, { silenceMs }: { readonly silenceMs?: number } = {}): Promise<StoreHealth> => {
  const { url } = exchange;
  const answer = await exchange.send({ path: '/health', silenceMs }, (response, watchdog) =>
    readJson(response, { url, limit: mostBytes, watchdog }),
  );
  return checkHealth(answer, url);
};
