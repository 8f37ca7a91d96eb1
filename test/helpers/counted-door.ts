import { connect, createServer, type Socket } from 'node:net';
import { atEnd } from './at-end.ts';

/** The only connection of a node to its store host: it counts the bytes that the host sends, and can be closed. */
export interface CountedDoor {
  readonly url: string;
  /** The bytes that the host has sent through it. */
  readonly bytes: () => number;
  /** Refuses connections from now on, as if the host were off. */
  readonly shut: () => Promise<void>;
  /** Closes it as soon as the host has sent this many bytes. */
  readonly shutAt: (bytes: number) => void;
  /** Forwards to the server at this URL from now on. */
  readonly open: (target: string) => Promise<void>;
}

/** Forwards connections to a server until the test ends. */
export async function countedDoor(target: string): Promise<CountedDoor> {
  let to = target;
  let bytes = 0;
  let limit = Number.POSITIVE_INFINITY;
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const onward = connect(Number(new URL(to).port), '127.0.0.1');
    for (const socket of [from, onward]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        from.destroy();
        onward.destroy();
      });
    }
    onward.on('data', (data) => {
      bytes += data.length;
      if (bytes >= limit) void shut();
    });
    from.pipe(onward).pipe(from);
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const shut = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as { port: number };
  atEnd(shut);
  return {
    url: `http://127.0.0.1:${port}`,
    bytes: () => bytes,
    shut,
    shutAt: (most) => {
      limit = most;
    },
    open: async (next) => {
      to = next;
      if (!server.listening) await listen(port);
    },
  };
}
