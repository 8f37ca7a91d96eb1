import { connect, type LookupFunction, type Socket } from 'node:net';
import { isSystemError } from '../../kernel/errors.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';

/** The result of a connection attempt: `connected`, `timeout`, or the system's error. */
export type ProbeOutcome = 'connected' | 'timeout' | Error;

/**
 * Tests whether a URL's host and port accept a connection within `timeoutMs`, including the lookup of the name. Never throws.
 * @param lookup used if the system does not know the name
 */
export async function probeConnection(url: string, timeoutMs: number, lookup?: LookupFunction): Promise<ProbeOutcome> {
  const outcome = await connectWithin(url, timeoutMs, lookup);
  if (outcome === 'timeout' || outcome instanceof Error) return outcome;
  outcome.destroy();
  return 'connected';
}

/** The same, but returns the open socket, which belongs to the caller. */
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
