import { connect, type LookupFunction } from 'node:net';
import { isSystemError } from '../kernel/errors.ts';

/** What came of an attempt to connect: `connected`, `timeout`, or the system's error. */
export type ProbeOutcome = 'connected' | 'timeout' | Error;

/** How long another way than the system's may take to find an address, in milliseconds. */
const searchMs = 2_000;

/**
 * Tries whether something accepts connections at a URL's host and port within `timeoutMs`. Never throws.
 * @param lookup asked when the system does not know the name
 */
export async function probeConnection(url: string, timeoutMs: number, lookup?: LookupFunction): Promise<ProbeOutcome> {
  const outcome = await probe(url, timeoutMs, undefined);
  return lookup !== undefined && isSystemError(outcome, 'ENOTFOUND', 'EAI_AGAIN') ? probe(url, timeoutMs + searchMs, lookup) : outcome;
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
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(settle, timeoutMs, 'timeout' as const);
    socket.once('connect', () => settle('connected'));
    socket.once('error', settle);
  });
}
