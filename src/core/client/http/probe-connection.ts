import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { lateName } from '../../kernel/explain-network-error.ts';
import { startDeadline } from '../../kernel/flow/deadline.ts';
import { askNameService } from '../../kernel/machine/resolve-name.ts';
import { lookupBy } from './prefer-routable.ts';

/** The result of a connection attempt: `connected`, `timeout`, or an error of the system or of the name's lookup. */
export type ProbeOutcome = 'connected' | 'timeout' | Error;

/**
 * Tests whether a URL's host and port accept a connection within `timeoutMs`. The lookup of a name may take as long before, and is never
 * a `timeout`. Never throws.
 * @param lookup by default the system's own
 */
export async function probeConnection(url: string, timeoutMs: number, lookup?: LookupFunction): Promise<ProbeOutcome> {
  const outcome = await connectWithin(url, timeoutMs, lookup);
  if (outcome === 'timeout' || outcome instanceof Error) return outcome;
  outcome.destroy();
  return 'connected';
}

const bySystem: LookupFunction = lookupBy((name) => askNameService(name).answer);

/** The same, but returns the open socket, which belongs to the caller. */
export function connectWithin(url: string, timeoutMs: number, lookup: LookupFunction = bySystem): Promise<Socket | 'timeout' | Error> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port || (protocol === 'https:' ? 443 : 80)), noDelay: true, lookup });
    const fail = (outcome: 'timeout' | Error): void => {
      stop();
      socket.destroy();
      resolve(outcome);
    };
    const stop = limitConnecting(socket, host, timeoutMs, (late) => fail(late ?? 'timeout'));
    socket.once('error', fail);
    socket.once('connect', () => {
      stop();
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

/**
 * Limits the time until a socket is connected, and before it the time for the lookup of its host.
 * @param giveUp gets the error of a late lookup; undefined if the host does not accept the connection
 * @returns ends the limit
 */
export function limitConnecting(socket: Socket, host: string, timeoutMs: number, giveUp: (late: Error | undefined) => void): () => void {
  const limit = (late: Error | undefined): (() => void) => startDeadline(() => giveUp(late), timeoutMs);
  let stop = limit(isIP(host) === 0 ? lateName(host, timeoutMs) : undefined);
  const onLookup = (): void => {
    stop();
    stop = limit(undefined);
  };
  socket.once('lookup', onLookup);
  return () => {
    socket.off('lookup', onLookup);
    stop();
  };
}
