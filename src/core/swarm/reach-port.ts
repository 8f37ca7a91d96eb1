import { connect } from 'node:net';

/** How long a connection may take, in milliseconds. In a LAN it takes one. */
const silenceMs = 1_000;

/** Whether a TCP connection succeeds. A firewall refuses it, or does not answer at all. */
export function reachesPort(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ host, port, signal });
    const end = (isReached: boolean): void => {
      socket.destroy();
      settle(isReached);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
    // A process that was busy for so long handles its timers first, although the connection is there.
    socket.setTimeout(silenceMs, () => setImmediate(() => setImmediate(() => end(false))));
  });
}
