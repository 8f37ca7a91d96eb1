import { connect, type LookupFunction } from 'node:net';
import { isSystemError } from '../../kernel/errors.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';

/** What came of an attempt to connect: `connected`, `timeout`, or the system's error. */
export type ProbeOutcome = 'connected' | 'timeout' | Error;

/**
 * Tries whether something accepts connections at a URL's host and port within `timeoutMs`, look-ups of its name included. Never throws.
 * @param lookup asked when the system does not know the name
 */
export async function probeConnection(url: string, timeoutMs: number, lookup?: LookupFunction): Promise<ProbeOutcome> {
  const until = performance.now() + timeoutMs;
  const outcome = await probe(url, timeoutMs, undefined);
  if (lookup === undefined || !isSystemError(outcome, 'ENOTFOUND', 'EAI_AGAIN')) return outcome;
  return probe(url, Math.max(1, until - performance.now()), lookup);
}

function probe(url: string, timeoutMs: number, lookup: LookupFunction | undefined): Promise<ProbeOutcome> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port || (protocol === 'https:' ? 443 : 80)),
      ...(lookup !== undefined && { lookup }),
    });
    const settle = (outcome: ProbeOutcome): void => {
      stop();
      socket.destroy();
      resolve(outcome);
    };
    const stop = startDeadline(() => settle('timeout'), timeoutMs);
    socket.once('connect', () => settle('connected'));
    socket.once('error', settle);
  });
}
