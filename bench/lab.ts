import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { has, type World } from './world.ts';

/** Machines in network namespaces of their own, with one link each to a common switch. */
export interface Lab {
  /** Adds a machine. */
  readonly join: () => Machine;
}

/** A machine of a lab. */
export interface Machine {
  readonly address: string;
  /** Starts a program in its namespace. The pid of the child is that of the program. */
  readonly start: (command: readonly string[], env: Readonly<Record<string, string>>) => ChildProcess;
  /** The bytes that it has sent over its link so far, with the headers of all packets. */
  readonly sentBytes: () => number;
  /** Whether it reaches only machines that are not cut off themselves, as the guests of a Wi-Fi. */
  readonly cutOff: (isCutOff: boolean) => void;
}

const prefix = 'skulk-bench-';

/** What a lab needs and this machine does not have; undefined if nothing is missing. Only Linux has network namespaces. */
export function missingForLab(): string | undefined {
  if (process.platform !== 'linux') return 'Linux';
  if (process.getuid?.() !== 0) return 'root';
  const programs = ['ip', 'tc', 'bridge', 'aria2c'].filter((program) => !has(program));
  return programs.length === 0 ? undefined : programs.join(', ');
}

/**
 * An empty lab. It ends with the world; the lab of a killed process is removed by the next one.
 * @param megabits the speed of each link, in both directions
 */
export function makeLab(world: World, megabits: number): Lab {
  removeLeft();
  const own = `${prefix}${process.pid}-`;
  const hub = `${own}hub`;
  // Both ends limit what they send. 50 ms is the queue of a usual switch.
  const limit = (name: string, link: string): void =>
    run('tc', '-n', name, 'qdisc', 'add', 'dev', link, 'root', 'tbf', 'rate', `${megabits}mbit`, 'burst', '32k', 'latency', '50ms');
  world.atEnd(() => removeAll(own));
  run('ip', 'netns', 'add', hub);
  run('ip', '-n', hub, 'link', 'add', 'switch', 'type', 'bridge');
  run('ip', '-n', hub, 'link', 'set', 'switch', 'up');
  let count = 0;
  const joinLab = (): Machine => {
    count += 1;
    const [name, port, address] = [`${own}${count}`, `port${count}`, `10.83.0.${count}`];
    run('ip', 'netns', 'add', name);
    run('ip', '-n', hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    run('ip', '-n', hub, 'link', 'set', port, 'master', 'switch', 'up');
    run('ip', '-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    for (const link of ['lo', 'eth0']) run('ip', '-n', name, 'link', 'set', link, 'up');
    limit(hub, port);
    limit(name, 'eth0');
    return {
      address,
      start: (command, env) =>
        spawn('ip', ['netns', 'exec', name, ...command], {
          env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      sentBytes: () => {
        const [link] = JSON.parse(read('ip', '-n', hub, '-s', '-j', 'link', 'show', port)) as [{ stats64: { rx: { bytes: number } } }];
        return link.stats64.rx.bytes;
      },
      cutOff: (isCutOff) => run('bridge', '-n', hub, 'link', 'set', 'dev', port, 'isolated', isCutOff ? 'on' : 'off'),
    };
  };
  return { join: joinLab };
}

/** Waits for the end of a program. @returns its output. @throws Error with what it printed if it fails or takes too long */
export async function outputOf(child: ChildProcess, seconds: number): Promise<string> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  if (status !== 0) throw new Error(`${child.spawnargs.join(' ')}: ${status ?? `killed after ${seconds} s`}: ${stderr}`);
  return stdout;
}

const read = (program: string, ...args: readonly string[]): string => execFileSync(program, args, { encoding: 'utf8' });
const run = (program: string, ...args: readonly string[]): void => void read(program, ...args);

const namespaces = (): readonly string[] =>
  read('ip', 'netns', 'list')
    .split('\n')
    .flatMap((line) => line.split(' ', 1))
    .filter((name) => name.startsWith(prefix));

function removeAll(own: string): void {
  const names = namespaces().filter((name) => name.startsWith(own));
  for (const name of names)
    for (const pid of read('ip', 'netns', 'pids', name).split('\n').filter(Boolean)) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
  for (const name of names) run('ip', 'netns', 'delete', name);
}

/** Removes the labs of killed processes. */
function removeLeft(): void {
  const pids = new Set(namespaces().map((name) => Number(name.slice(prefix.length).split('-', 1)[0])));
  for (const pid of pids) {
    try {
      process.kill(pid, 0);
    } catch {
      removeAll(`${prefix}${pid}-`);
    }
  }
}
