import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/skulk.js', import.meta.url));

/** The program at the start of a bash command. */
export const skulk = `${process.execPath} ${bin}`;

/** A memory file system, so that the disk does not matter; otherwise the directory in `SKULK_BENCH_DIR`. */
const base = process.env['SKULK_BENCH_DIR'] ?? '/dev/shm';

/** A running server. */
export interface RunningServer {
  readonly url: string;
  /** The API of a store; otherwise the same as `url`. */
  readonly apiUrl: string;
  readonly pids: readonly number[];
  readonly stop: () => Promise<void>;
}

/** Directories and processes of one run; everything ends with `close`. */
export interface World {
  readonly directory: string;
  /** Writes a file of random bytes and gives its sha256. */
  readonly writeRandom: (path: string, bytes: number) => string;
  /** Starts a store over `home`, with more variables in its environment. */
  readonly serve: (home: string, env?: Readonly<Record<string, string>>) => Promise<RunningServer>;
  /** Starts nginx over a directory; undefined when it is not installed. */
  readonly nginx: (root: string) => Promise<RunningServer | undefined>;
  /** Calls `end` when the world is closed, before anything else. */
  readonly atEnd: (end: () => void) => void;
  readonly close: () => Promise<void>;
}

/** Whether a program is on the PATH. */
export function has(program: string): boolean {
  try {
    execFileSync('bash', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** An empty world. */
export function makeWorld(): World {
  const directory = mkdtempSync(join(base, 'skulk-bench-'));
  const running: RunningServer[] = [];
  const ends: (() => void)[] = [];
  const keep = (server: RunningServer): RunningServer => {
    running.push(server);
    return server;
  };
  return {
    directory,
    writeRandom,
    serve: async (home, env = {}) => {
      mkdirSync(join(home, 'store'), { recursive: true });
      const child = spawn(
        process.execPath,
        [bin, 'serve', '--host', '127.0.0.1', '--port', '0', '--api-port', '0', '--no-mdns', '--json'],
        {
          env: { PATH: process.env['PATH'], HOME: directory, SKULK_HOME: home, HF_HUB_OFFLINE: '1', ...env },
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      );
      const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
      const { store_url, api_url } = JSON.parse(line) as { store_url: string; api_url: string };
      return keep({ url: store_url, apiUrl: api_url, pids: [child.pid ?? 0], stop: () => end(child) });
    },
    nginx: async (root) => (has('nginx') ? keep(await startNginx(directory, root)) : undefined),
    atEnd: (end) => void ends.push(end),
    close: async () => {
      for (const end of ends.splice(0)) end();
      for (const server of running) await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function startNginx(directory: string, root: string): Promise<RunningServer> {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const config = join(directory, `nginx-${port}.conf`);
  const state = join(directory, `nginx-${port}`);
  mkdirSync(state);
  writeFileSync(
    config,
    `daemon off; pid ${state}/pid; error_log ${state}/error.log; worker_processes 1; user root;
events {}
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path ${state}/a; proxy_temp_path ${state}/b; fastcgi_temp_path ${state}/c; uwsgi_temp_path ${state}/d; scgi_temp_path ${state}/e;
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`,
  );
  const child = spawn('nginx', ['-c', config], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await fetch(url).then(Boolean, () => false)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const workers = execFileSync('bash', ['-c', `cat /proc/${child.pid}/task/${child.pid}/children`], { encoding: 'utf8' });
  return { url, apiUrl: url, pids: [child.pid ?? 0, ...workers.trim().split(' ').map(Number)], stop: () => end(child) };
}

function writeRandom(path: string, bytes: number): string {
  const file = openSync(path, 'w');
  const hash = createHash('sha256');
  const block = Buffer.alloc(4 * 1024 * 1024);
  randomFillSync(block);
  for (let done = 0; done < bytes; ) {
    // New bytes in every block, without the time to generate all of them.
    block.writeBigUInt64LE(BigInt(done), 0);
    const part = block.subarray(0, Math.min(block.length, bytes - done));
    writeSync(file, part);
    hash.update(part);
    done += part.length;
  }
  closeSync(file);
  return hash.digest('hex');
}
