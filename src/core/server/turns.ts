import type { Socket } from 'node:net';

/**
 * Lets the requests of one connection begin one after the other. A client may send a hundred at once, whose answers leave in order
 * anyway; each that has begun holds an open file and a buffer.
 */
export interface Turns {
  /** How many connections have a request under way. */
  readonly connections: () => number;
  /** Waits for a turn; to be given back by the returned function. */
  take(socket: Socket): Promise<() => void>;
}

interface Line {
  underWay: number;
  readonly waiting: (() => void)[];
}

/** @param most how many of one connection are under way at one time */
export function createTurns(most: number): Turns {
  const lines = new Map<Socket, Line>();
  const giveBack = (socket: Socket, line: Line) => (): void => {
    const next = line.waiting.shift();
    if (next === undefined) line.underWay -= 1;
    else next();
    if (line.underWay === 0) lines.delete(socket);
  };
  return {
    connections: () => lines.size,
    take: async (socket) => {
      const line = lines.get(socket) ?? { underWay: 0, waiting: [] };
      lines.set(socket, line);
      if (line.underWay < most) line.underWay += 1;
      else await new Promise<void>((resolve) => line.waiting.push(resolve));
      return giveBack(socket, line);
    },
  };
}
