import { SkulkError } from '../kernel/errors.ts';
import type { Exchange } from './http/exchange.ts';
import { isPythonStore } from './python-store.ts';

/**
 * Explains a failed request if the server is the Python program, which does not support it.
 * @param what the unsupported action, for the message: `verify models`
 * @throws SkulkError USAGE for the Python program; otherwise the request's own error
 */
export async function refuseForOther<T>(exchange: Exchange, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A failed connection has a cause; an answer that is not understood has none.
    const isAnswer = error instanceof SkulkError && error.cause === undefined;
    const mayBeOther = isAnswer && ['STORE_UNREACHABLE', 'MODEL_NOT_FOUND', 'BAD_REQUEST'].includes(error.code);
    // If this request fails too, the original error is the right one.
    if (!mayBeOther || !(await isPythonStore(exchange, {}).catch(() => false))) throw error;
    throw new SkulkError('USAGE', `the store at ${exchange.url} is the Python program, which cannot ${what}`, {
      hint: 'to use this, run `skulk serve` on that machine, with the directory of its store as store_path',
      cause: error,
    });
  }
}
