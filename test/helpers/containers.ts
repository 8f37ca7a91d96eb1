import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { ownEnvironment } from './own-environment.ts';
import type { Ended } from './spawn-skulk.ts';
import { until } from './waiting.ts';

const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));

/** A process that is the first one of its own pid namespace, as in a container. */
export interface Contained {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<Ended>;
  /** Sends a signal to the first process inside. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Kills all processes inside at once, and waits until they are gone. */
  kill(): Promise<void>;
}

/**
 * Starts skulk in a container that shares the disk and the network with the test. It is killed at the end of the test.
 * @param unshare further namespaces, e.g. `-n` for a network
 * @param hostname its own host name
 */
export function startContained(
  args: readonly string[],
  {
    env,
    cwd = '/',
    unshare = [],
    hostname,
  }: { env: Readonly<Record<string, string>>; cwd?: string; unshare?: readonly string[]; hostname?: string },
): Contained {
  const command = [process.execPath, bin, ...args];
  const named = hostname === undefined ? command : ['/bin/sh', '-c', 'hostname "$0" && exec "$@"', hostname, ...command];
  const child = spawn('unshare', ['-pfu', '--kill-child', '--mount-proc', ...unshare, ...named], {
    env: ownEnvironment({ SKULK_NO_MDNS: '1', SKULK_NO_DISCOVERY: '1', HF_HUB_OFFLINE: '1', ...env }),
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = once(child, 'close').then(([status, signal]) => ({ status, signal, stdout, stderr }) as Ended);
  const first = async (): Promise<number> => {
    let pid = 0;
    await until('the first process of the container', async () => {
      const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '');
      pid = Number(children.trim());
      return pid > 0;
    });
    return pid;
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    signal: async (name) => void process.kill(await first(), name),
    kill,
  };
}
