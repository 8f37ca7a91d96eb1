import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A cable between a node and its store, byte by byte. */
export interface Wire {
  readonly url: string;
  setTarget(url: string): void;
  /** Forwards no more data. `silent`: connections stay open without data, as when a cable is pulled. */
  cut(how: 'closed' | 'silent'): void;
  mend(): void;
}

/** Opens a port of 127.0.0.1 that forwards to a URL; it ends with the test. */
export async function wireTo(target: string): Promise<Wire> {
  let to = new URL(target);
  let state: 'whole' | 'closed' | 'silent' = 'whole';
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    near.on('error', () => {});
    if (state === 'closed') return void near.destroy();
    const far = connect(Number(to.port), to.hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    far.on('error', () => {});
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => into.write(bytes));
      from.on('close', () => {
        into.destroy();
        pairs.delete(pair);
      });
      if (state === 'silent') from.pause();
    }
  });
  const each = (work: (socket: Socket) => void): void => {
    for (const pair of [...pairs]) for (const socket of pair) work(socket);
  };
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    each((socket) => socket.destroy());
    server.close();
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    setTarget: (url) => {
      to = new URL(url);
    },
    cut: (how) => {
      state = how;
      each((socket) => (how === 'closed' ? socket.destroy() : socket.pause()));
    },
    mend: () => {
      state = 'whole';
      each((socket) => socket.resume());
    },
  };
}
