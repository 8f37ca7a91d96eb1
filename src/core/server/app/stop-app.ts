import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

const openSockets = new WeakMap<FastifyInstance, Set<Socket>>();

/** Tracks an app's sockets, for `stopApp`. */
export function watchSilentSockets(app: FastifyInstance): void {
  const sockets = new Set<Socket>();
  openSockets.set(app, sockets);
  app.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
}

/** Stops accepting requests, lets running ones finish within `graceMs`, then closes the rest. Resolves when everything is closed. */
export async function stopApp(app: FastifyInstance, { graceMs }: { graceMs: number }): Promise<void> {
  const { server } = app;
  // Node counts a connection that has sent nothing yet as busy, and one that becomes idle later stays open until it times out.
  for (const socket of openSockets.get(app) ?? []) if (socket.bytesRead === 0) socket.destroy();
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(deadline);
  }
}
