import { connect } from 'node:net';

/** What came of an attempt to connect: `connected`, `timeout`, or the system's error. */
export type ProbeOutcome = 'connected' | 'timeout' | Error;

/** Tries whether something accepts connections at a URL's host and port within `timeoutMs`. Never throws. */
export function probeConnection(url: string, timeoutMs: number): Promise<ProbeOutcome> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)) });
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
