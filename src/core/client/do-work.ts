import { isErrorCode, SkulkError } from '../kernel/errors.ts';
import type { WorkOptions } from '../store/contract.ts';
import type { Call, Exchange } from './http/exchange.ts';
import { clean, notAStore } from './http/map-failure.ts';
import { readLines } from './http/read-body.ts';

const maxLineBytes = 64 * 1024 * 1024;
/** Long work sends a heartbeat every second. */
export const workSilenceMs = 60_000;

/**
 * Sends a call that is answered with lines of JSON, of which the last one has the result. The others report the progress in bytes.
 * @returns the result, not decoded
 * @throws SkulkError the error that the store reports, STORE_UNREACHABLE if it ends its answer without a result
 */
export function doWork(exchange: Exchange, call: Call, { signal, onBytes }: WorkOptions): Promise<unknown> {
  const { url } = exchange;
  return exchange.send({ ...call, signal, silenceMs: workSilenceMs }, async (response, watchdog) => {
    for await (const line of readLines(response, { url, limit: maxLineBytes, watchdog })) {
      if (typeof line !== 'object' || line === null) throw notAStore(url, 'a line of its answer is empty');
      if ('result' in line) return line.result;
      if ('error' in line) throw mapWorkError(line.error, url);
      const { bytes_done, bytes_total } = ((line as { progress?: unknown }).progress ?? {}) as Record<string, unknown>;
      if (typeof bytes_done === 'number' && typeof bytes_total === 'number') onBytes?.(bytes_done, bytes_total);
    }
    throw new SkulkError('STORE_UNREACHABLE', `the store at ${url} ended its answer without a result`, {
      hint: 'run the command again; if it fails again, see the log of the store',
    });
  });
}

function mapWorkError(error: unknown, url: string): SkulkError {
  const { code, message, hint } = (error ?? {}) as Record<string, unknown>;
  const says = typeof message === 'string' ? clean(message) : 'no reason given';
  if (isErrorCode(code) && code !== 'INTERRUPTED' && code !== 'TERMINATED')
    return new SkulkError(code, says, { hint: typeof hint === 'string' ? clean(hint) : undefined });
  return new SkulkError('STORE_UNREACHABLE', `the store at ${url} failed: ${says}`, { hint: 'see the log of the store' });
}
