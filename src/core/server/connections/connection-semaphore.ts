import type { Socket } from 'node:net';
import { peerOf } from '../files/slots.ts';

/**
 * Starts the requests of one connection one after the other. A client may send a hundred at once, whose answers leave in order anyway,
 * and each started one holds an open file and a buffer.
 */
export interface ConnectionSemaphore {
  /** The number of connections with a running request; only those of one peer if it is given. */
  readonly connections: (peer?: string) => number;
  /** Waits until the connection may start another request. The returned function ends that request. */
  acquire(socket: Socket): Promise<() => void>;
}

interface Line {
  readonly peer: string;
  underWay: number;
  readonly waiting: (() => void)[];
}

/** @param limit how many requests of one connection may run at the same time */
export function createConnectionSemaphore(limit: number): ConnectionSemaphore {
  const lines = new Map<Socket, Line>();
  const peers = new Map<string, number>();
  const change = (peer: string, by: number): void => {
    const count = (peers.get(peer) ?? 0) + by;
    if (count === 0) peers.delete(peer);
    else peers.set(peer, count);
  };
  const releaseFor = (socket: Socket, line: Line) => (): void => {
    const next = line.waiting.shift();
    if (next === undefined) line.underWay -= 1;
    else next();
    if (line.underWay === 0 && lines.delete(socket)) change(line.peer, -1);
  };
  return {
    connections: (peer) => (peer === undefined ? lines.size : (peers.get(peer) ?? 0)),
    acquire: async (socket) => {
      const line = lines.get(socket) ?? { peer: peerOf(socket.remoteAddress ?? ''), underWay: 0, waiting: [] };
      if (!lines.has(socket)) change(line.peer, 1);
      lines.set(socket, line);
      if (line.underWay < limit) line.underWay += 1;
      else await new Promise<void>((resolve) => line.waiting.push(resolve));
      return releaseFor(socket, line);
    },
  };
}
