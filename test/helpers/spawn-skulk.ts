import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { atEnd } from './at-end.ts';
import { ownEnvironment } from './own-environment.ts';
import { refuseWhenOver } from './own-test.ts';
import { within } from './waiting.ts';

const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));

/** The end of a process and its output. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The settings of a process in a test. */
export interface SpawnOptions {
  /** Added to PATH and HOME; the process gets no other variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The limit of `ulimit -n` for the program. */
  readonly openFiles?: number | undefined;
}

/** A running skulk; killed at the end of the test if it still runs. */
export interface RunningSkulk {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<Ended>;
}

/** Starts the program as a user would, from `bin`. */
export function startSkulk(args: readonly string[], { env = {}, cwd }: SpawnOptions = {}): RunningSkulk {
  refuseWhenOver('skulk');
  const child = spawn(process.execPath, [bin, ...args], {
    // Only tests with their own Hub use the internet addresses.
    // A test does not use other stores on the LAN or on this machine, except tests that build a LAN.
    env: ownEnvironment({
      SKULK_NO_MDNS: '1',
      SKULK_NO_DISCOVERY: '1',
      ...(env['HF_ENDPOINT'] === undefined && { HF_HUB_OFFLINE: '1' }),
      ...env,
    }),
    cwd: cwd ?? '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = once(child, 'close').then(([status, signal]) => ({ status, signal, stdout, stderr }) as Ended);
  atEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  if (child.pid === undefined) throw new Error('skulk could not be started');
  return { child, pid: child.pid, stdout: () => stdout, stderr: () => stderr, exited };
}

/** Runs the program to its end. */
export const runSkulk = (args: readonly string[], options?: SpawnOptions): Promise<Ended> => {
  const running = startSkulk(args, options);
  return within(`the end of skulk ${args.join(' ')}`, running.exited, () => `${running.stdout()}${running.stderr()}`);
};

/** A running server. */
export interface Serving extends AsyncDisposable {
  /** The URL of the store that it serves or, as a node, uses. */
  readonly url: string;
  readonly apiUrl: string;
  /** Its SKULK_HOME. */
  readonly home: string;
  readonly storePath: string;
  /** Its log so far. */
  readonly stderr: () => string;
  /** Sends SIGTERM and returns the end of the process. */
  readonly stop: () => Promise<Ended>;
}

/** A server in a separate process. */
export interface Served extends Serving {
  readonly pid: number;
  readonly running: RunningSkulk;
  /** Sends SIGKILL and returns the end of the process. */
  readonly kill: () => Promise<Ended>;
}

/** The default address of a server in tests. */
export const onFreePorts = ['--host', '127.0.0.1', '--port', '0', '--api-port', '0'] as const;

/** Waits for the line in which a server reports that it is ready. */
export async function readReady({
  stdout,
  onText,
  stderr,
  ended,
}: {
  stdout: () => string;
  onText: (look: () => void) => unknown;
  stderr: () => string;
  ended: Promise<Ended>;
}): Promise<Pick<Served, 'url' | 'apiUrl' | 'storePath' | 'pid'>> {
  const firstLine = new Promise<string>((resolve, reject) => {
    const look = (): void => {
      const end = stdout().indexOf('\n');
      if (end !== -1) resolve(stdout().slice(0, end));
    };
    onText(look);
    look();
    void ended.then((end) => reject(new Error(`serve ended with ${end.status} before it was ready: ${end.stderr}`)));
  });
  const line = await within('serve to be ready', firstLine, stderr);
  const ready = JSON.parse(line) as { store_url: string; api_url: string; store_path: string; pid: number };
  return { url: ready.store_url, apiUrl: ready.api_url, storePath: ready.store_path, pid: ready.pid };
}

/** Starts a store host, by default on free ports of 127.0.0.1, and waits until it is ready. */
export async function startServe({
  home,
  args = [],
  env = {},
  listen = onFreePorts,
  openFiles,
}: {
  home: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
  listen?: readonly string[];
  openFiles?: number;
}): Promise<Served> {
  const running = startSkulk(['serve', ...listen, '--json', ...args], { env: { SKULK_HOME: home, ...env }, openFiles });
  const { stdout, stderr, exited } = running;
  const ready = await readReady({ stdout, stderr, ended: exited, onText: (look) => running.child.stdout?.on('data', look) });
  const end = (signal: NodeJS.Signals) => (): Promise<Ended> => {
    running.child.kill(signal);
    return running.exited;
  };
  const stop = end('SIGTERM');
  return { ...ready, home, running, stderr, stop, kill: end('SIGKILL'), [Symbol.asyncDispose]: async () => void (await stop()) };
}
