import { connect } from 'node:net';

/** Whether something accepts connections at a URL's host and port within `timeoutMs`. Never throws. */
export function probeConnection(url: string, timeoutMs: number): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)) });
    const settle = (answers: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answers);
    };
    const timer = setTimeout(settle, timeoutMs, false);
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
