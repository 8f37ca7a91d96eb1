import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** A process in front of a store that keeps new connections waiting for as long as a test needs. */
export interface SlowDoor {
  readonly url: string;
  /** Accepts no connection from now on: attempts to connect get no answer. */
  readonly close: () => Promise<void>;
  /** Accepts connections, also the waiting ones. */
  readonly open: () => void;
}

const script = `
const { createServer, connect } = require('node:net');
const [port] = process.argv.slice(1);
const server = createServer((from) => {
  const to = connect(Number(port), '127.0.0.1');
  from.pipe(to).pipe(from);
  for (const one of [from, to]) one.on('error', () => { from.destroy(); to.destroy(); });
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => console.log(server.address().port));
`;

/** Starts a process that forwards connections to a store; while it is stopped and its queue is full, the system answers no attempt. */
export async function slowDoor(target: string): Promise<SlowDoor> {
  const child = spawn(process.execPath, ['-e', script, new URL(target).port], { stdio: ['ignore', 'pipe', 'inherit'] });
  const waiting: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of waiting) socket.destroy();
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(first.toString().trim());
  const tryConnect = async (): Promise<boolean> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    waiting.push(socket);
    // The system answers at once, or drops the attempt.
    return await Promise.race([once(socket, 'connect').then(() => true), sleep(1_000, false)]);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      child.kill('SIGSTOP');
      while (await tryConnect());
    },
    open: () => void child.kill('SIGCONT'),
  };
}
