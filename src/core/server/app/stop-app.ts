import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Makes the server of an app close only connections without a running answer when it stops. Node and Fastify close idle connections through
 * `closeIdleConnections`, which counts an answer as finished when its last byte is written to memory, and cuts off what the client has not
 * received yet. It also counts a connection that has sent nothing as busy.
 */
export function closeOnlyIdleConnections({ server }: FastifyInstance): void {
  /** The number of running answers on each open connection. */
  const answers = new Map<Socket, number>();
  server.on('connection', (socket) => {
    answers.set(socket, 0);
    socket.once('close', () => answers.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const count = (change: number): void => {
      const running = answers.get(socket);
      if (running !== undefined) answers.set(socket, running + change);
    };
    count(1);
    // When it does not finish, its connection closes.
    response.once('finish', () => count(-1));
  });
  server.closeIdleConnections = () => {
    for (const [socket, running] of answers) if (running === 0) socket.destroy();
  };
}

/** Stops accepting requests, lets running ones finish within `graceMs`, then closes the rest. Resolves when everything is closed. */
export async function stopApp(app: FastifyInstance, { graceMs }: { graceMs: number }): Promise<void> {
  const { server } = app;
  // A connection that becomes idle later stays open until it times out.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(deadline);
  }
}
