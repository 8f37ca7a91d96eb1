import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { ownEnvironment } from './own-environment.ts';
import type { Ended } from './spawn-skulk.ts';

const run = promisify(execFile);
const bin = fileURLToPath(new URL('../../bin/skulk.js', import.meta.url));

/** A machine with its own network. */
export interface Machine {
  readonly address: string;
  /** The prefix of a command that runs it there. */
  readonly prefix: string;
  /** Gives it another address on the same cable, with a prefix length. */
  readonly addAddress: (address: string) => Promise<void>;
  /** Refuses connections from it to these TCP ports of other machines, e.g. `1-9`; of `from`, drops what it answers from them. */
  readonly block: (ports: string, direction: 'to' | 'from') => Promise<void>;
  /** Its names, as in /etc/hosts. */
  readonly setHosts: (text: string) => Promise<void>;
  /** Its name servers, as in /etc/resolv.conf. */
  readonly setResolver: (text: string) => Promise<void>;
  /** What curl prints there. */
  readonly curl: (...args: readonly string[]) => Promise<string>;
  readonly skulk: (
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ) => { readonly child: ChildProcess; readonly ended: Promise<Ended> };
}

/** Machines on one switch, 10.98.0.1 and up; they are removed with the test. */
export async function machinesOnOneLan(count: number): Promise<readonly Machine[]> {
  const tag = `sk${process.pid.toString(36)}`;
  const ip = (...args: readonly string[]): Promise<unknown> => run('ip', args);
  const bridge = `${tag}-lan`;
  const names = Array.from({ length: count }, (_, index) => `${tag}-${index}`);
  onTestFinished(async () => {
    for (const name of [bridge, ...names]) await ip('netns', 'delete', name).catch(() => undefined);
    for (const name of names) await rm(`/etc/netns/${name}`, { recursive: true, force: true });
  });
  // The switch is in its own namespace, so that it does not affect the real network.
  await ip('netns', 'add', bridge);
  await ip('-n', bridge, 'link', 'add', 'lan', 'type', 'bridge', 'mcast_snooping', '0');
  await ip('-n', bridge, 'link', 'set', 'lan', 'up');
  const machines: Machine[] = [];
  for (const [index, name] of names.entries()) {
    const address = `10.98.0.${index + 1}`;
    await ip('netns', 'add', name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    await ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `port${index}`, 'netns', bridge);
    await ip('-n', bridge, 'link', 'set', `port${index}`, 'master', 'lan', 'up');
    await ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    machines.push({
      address,
      prefix: `ip netns exec ${name}`,
      addAddress: async (more) => void (await ip('-n', name, 'addr', 'add', more, 'dev', 'eth0')),
      block: async (ports, direction) =>
        void (await ip(
          '-n',
          name,
          'rule',
          'add',
          'ipproto',
          'tcp',
          direction === 'to' ? 'dport' : 'sport',
          ports,
          direction === 'to' ? 'prohibit' : 'blackhole',
        )),
      setHosts: (text) => setFile(name, 'hosts', text),
      setResolver: (text) => setFile(name, 'resolv.conf', text),
      curl: async (...args) => (await run('ip', ['netns', 'exec', name, 'curl', '-sS', '--max-time', '20', ...args])).stdout,
      skulk: (args, env) => start(name, args, env),
    });
  }
  return machines;
}

/** Replaces a file of /etc in a namespace. */
async function setFile(namespace: string, file: string, text: string): Promise<void> {
  await mkdir(`/etc/netns/${namespace}`, { recursive: true });
  await writeFile(`/etc/netns/${namespace}/${file}`, text);
}

function start(namespace: string, args: readonly string[], env: Readonly<Record<string, string>>): ReturnType<Machine['skulk']> {
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, bin, ...args], {
    env: ownEnvironment({ HF_HUB_OFFLINE: '1', ...env }),
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, stdout, stderr }) as Ended);
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { child, ended };
}
