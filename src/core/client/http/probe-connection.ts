import { connect, type LookupFunction, type Socket } from 'node:net';
import { isSystemError } from '../../kernel/errors.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';

/** What came of an attempt to connect: `connected`, `timeout`, or the system's error. */
export type ProbeOutcome = 'connected' | 'timeout' | Error;

/**
 * Tries whether something accepts connections at a URL's host and port within `timeoutMs`, look-ups of its name included. Never throws.
 * @param lookup asked when the system does not know the name
 */
export async function probeConnection(url: string, timeoutMs: number, lookup?: LookupFunction): Promise<ProbeOutcome> {
  const outcome = await connectWithin(url, timeoutMs, lookup);
  if (outcome === 'timeout' || outcome instanceof Error) return outcome;
  outcome.destroy();
  return 'connected';
}

/** The same, but gives the open socket, which belongs to the caller. */
export async function connectWithin(url: string, timeoutMs: number, lookup?: LookupFunction): Promise<Socket | 'timeout' | Error> {
  const until = performance.now() + timeoutMs;
  const outcome = await tryConnecting(url, timeoutMs, undefined);
  if (lookup === undefined || !isSystemError(outcome, 'ENOTFOUND', 'EAI_AGAIN')) return outcome;
  return tryConnecting(url, Math.max(1, until - performance.now()), lookup);
}

function tryConnecting(url: string, timeoutMs: number, lookup: LookupFunction | undefined): Promise<Socket | 'timeout' | Error> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port || (protocol === 'https:' ? 443 : 80)),
      noDelay: true,
      ...(lookup !== undefined && { lookup }),
    });
    const fail = (outcome: 'timeout' | Error): void => {
      stop();
      socket.destroy();
      resolve(outcome);
    };
    const stop = startDeadline(() => fail('timeout'), timeoutMs);
    socket.once('error', fail);
    socket.once('connect', () => {
      stop();
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
