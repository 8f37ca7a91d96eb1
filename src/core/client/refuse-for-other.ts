import { SkulkError } from '../kernel/errors.ts';
import type { Exchange } from './http/exchange.ts';
import { isPythonStore } from './python-store.ts';

/**
 * Says of a request that failed whether it is the Python program that does not know it.
 * @param what that it cannot do, for the message: `verify models`
 * @throws SkulkError USAGE of the Python program; otherwise what the request failed with
 */
export async function refuseForOther<T>(exchange: Exchange, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const mayBeOther = error instanceof SkulkError && ['STORE_UNREACHABLE', 'MODEL_NOT_FOUND', 'BAD_REQUEST'].includes(error.code);
    // Where it cannot be asked either, that is what is wrong.
    if (!mayBeOther || !(await isPythonStore(exchange, {}).catch(() => false))) throw error;
    throw new SkulkError('USAGE', `the store at ${exchange.url} is the Python program, which cannot ${what}`, {
      hint: 'run `skulk serve` on that machine, with the directory of its store as store_path, to have this',
      cause: error,
    });
  }
}
