import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The result of one run. */
export interface Sample {
  readonly seconds: number;
  /** User and system time of the client's processes. */
  readonly clientCpu: number;
  /** The same for the server. */
  readonly serverCpu: number;
}

/** One side of a comparison. */
export interface Side {
  readonly label: string;
  /** Called before each run, outside of the measured time. */
  readonly prepare?: () => Promise<void> | void;
  /** A bash command. */
  readonly command: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The servers whose processor time is counted. */
  readonly serverPids?: readonly number[];
}

/** The measured run of a command that succeeded, with its output. */
export interface CommandOutcome extends Sample {
  readonly stdout: string;
}

/** Clock ticks a second in /proc (proc(5)); 100 on every known Linux. */
const ticks = 100;

/** User and system time of processes with all their threads, in seconds. */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / ticks;
  }, 0);
}

/** The maximum resident memory of a process, in bytes; 0 for a process that has ended. */
export function peakMemoryOf(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

/** Runs a bash command and measures its time. @throws Error when it fails */
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

/** Runs both sides in turn, because the speed of a machine varies, after a warm-up of each. */
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

/** Median, minimum and maximum of some numbers. */
export function summarize(numbers: readonly number[]): { readonly median: number; readonly min: number; readonly max: number } {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  return { median: median ?? Number.NaN, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}
