import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Limits } from '../app/limits.ts';
import { peerOf } from '../files/slots.ts';

interface Connection {
  readonly socket: Socket;
  readonly peer: string;
  /** The number of requests being answered. */
  busy: number;
  /** When it was last busy. */
  idleSince: number;
}

/** How many connections beyond the limit may be answered with an error. The server itself rejects more without an answer. */
const slack = 32;

/**
 * Limits the connections of a server, in total and per address. Beyond a limit, the connection that has been idle for the longest time is
 * closed. If all are busy, the new one gets a 503.
 */
export function boundConnections(server: Server, limits: Pick<Limits, 'connections' | 'connectionsPerAddress'>): void {
  const total = Math.min(limits.connections, affordable(openFilesLimit()));
  const perPeer = Math.min(limits.connectionsPerAddress, Math.ceil(total / 2));
  const open = new Map<Socket, Connection>();
  server.maxConnections = total + slack;
  server.on('connection', (socket) => {
    const peer = peerOf(socket.remoteAddress ?? '');
    open.set(socket, { socket, peer, busy: 0, idleSince: performance.now() });
    socket.once('close', () => open.delete(socket));
    const all = [...open.values()];
    const own = all.filter((one) => one.peer === peer);
    if (own.length > perPeer) makeWay(own, socket);
    else if (open.size > total) makeWay(ofBusiestPeer(all), socket);
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const connection = open.get(socket);
    if (connection === undefined) return;
    connection.busy += 1;
    response.once('close', () => {
      connection.busy -= 1;
      connection.idleSince = performance.now();
    });
  });
}

function makeWay(candidates: readonly Connection[], newcomer: Socket): void {
  const [idle] = candidates
    .filter(({ socket, busy }) => busy === 0 && socket !== newcomer && !socket.destroyed)
    .toSorted((a, b) => a.idleSince - b.idleSince);
  if (idle !== undefined) return void idle.socket.destroy();
  const body = JSON.stringify({ detail: 'too many connections are open', code: 'STORE_BUSY', hint: 'try again in a moment' });
  newcomer.on('error', () => {});
  newcomer.end(
    `HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    () => newcomer.destroySoon(),
  );
}

function ofBusiestPeer(all: readonly Connection[]): readonly Connection[] {
  const byPeer = [...Map.groupBy(all, ({ peer }) => peer).values()];
  return byPeer.toSorted((a, b) => b.length - a.length)[0] ?? [];
}

/** Each of the two servers of a process may use a quarter of its open files for connections. Transfers need as many again. */
const affordable = (files: number): number => Math.max(32, Math.floor((files - 60) / 4));

/** The limit of open files of this process; a large number if the system does not report it. */
function openFilesLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? Number.MAX_SAFE_INTEGER : Number(soft);
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}
