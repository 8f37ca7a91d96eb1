import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What one run took. */
export interface Sample {
  readonly seconds: number;
  /** User and system time of the client's processes. */
  readonly clientCpu: number;
  /** The same of the server meanwhile. */
  readonly serverCpu: number;
}

/** One side of a comparison. */
export interface Side {
  readonly label: string;
  /** Called before each run, outside of the time. */
  readonly prepare?: () => Promise<void> | void;
  /** A line for bash. */
  readonly command: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The servers whose processor time counts. */
  readonly serverPids?: readonly number[];
}

/** A command that did what it should, or what it said. */
export interface CommandOutcome extends Sample {
  readonly stdout: string;
}

/** Clock ticks a second in /proc (proc(5)); 100 on every Linux that there is. */
const ticks = 100;

/** User and system time of processes with all their threads, in seconds. */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / ticks;
  }, 0);
}

/** The most memory that a process has had resident, in bytes; 0 of one that has ended and was not waited for. */
export function peakMemoryOf(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

/** Runs a line of bash and takes its time. @throws Error when it fails */
export async function runCommand({ command, env = {}, serverPids = [] }: Omit<Side, 'label' | 'prepare'>): Promise<CommandOutcome> {
  const before = cpuOf(serverPids);
  const child = spawn('bash', ['-c', `TIMEFORMAT='%R %U %S'; time { ${command}; }`], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`${command}: ${status}: ${stderr}`);
  const [seconds = 0, user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { seconds, clientCpu: user + system, serverCpu: cpuOf(serverPids) - before, stdout };
}

/** Runs both sides in turn, as a machine has good and bad minutes, after one run of each that does not count. */
export async function alternate(sides: readonly Side[], rounds: number): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(sides.map(({ label }) => [label, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const side of sides) {
      await side.prepare?.();
      const sample = await runCommand(side);
      if (round >= 0) samples.get(side.label)?.push(sample);
    }
  }
  return samples;
}

/** Median, least and most of some numbers. */
export function summarize(numbers: readonly number[]): { readonly median: number; readonly min: number; readonly max: number } {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  return { median: median ?? Number.NaN, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}
