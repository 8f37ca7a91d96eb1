import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How many requests of one connection may wait for earlier ones. Browsers, curl and Node send the next one after the answer. */
const mostWaiting = 250;

/**
 * Answers the requests of each connection one after the other. Node reads them before the earlier ones are answered, a thousand in
 * 64 KiB, and would keep all answers in memory for a client that does not read. A connection with too many of them is closed. Call it when
 * the server has the listeners that answer.
 */
export function answerInTurn(server: Server): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  /** The waiting requests of each connection with a request that is being answered. */
  const waiting = new WeakMap<Socket, (() => void)[]>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const next = (): void => {
      const start = waiting.get(socket)?.shift();
      if (start === undefined) waiting.delete(socket);
      else if (!socket.destroyed) start();
    };
    const answer = (): void => {
      response.once('close', next);
      for (const listener of listeners) listener.call(server, request, response);
    };
    if (socket.destroyed) return;
    const line = waiting.get(socket);
    if (line === undefined) {
      waiting.set(socket, []);
      answer();
    } else if (line.length < mostWaiting) line.push(answer);
    else socket.destroy();
  });
}
