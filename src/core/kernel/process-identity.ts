import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { isSystemError } from './errors.ts';

/** A process that can be told from a later one that got the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the system's own notation; only equality means something. */
  readonly startTime: string;
}

/**
 * Who a pid is now, or undefined when no such process lives.
 * Linux: field 22 of /proc/PID/stat (proc(5)) with the boot id, as ticks are counted from boot. Elsewhere: `ps -o lstart=`.
 */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') return identifyOnLinux(pid);
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { LC_ALL: 'C' } });
    return stdout.trim() === '' ? undefined : { pid, startTime: stdout.trim() };
  } catch {
    return undefined;
  }
}

function identifyOnLinux(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may contain anything, so count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
    return { pid, startTime: `${bootId()}:${startTicks}` };
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/** Whether the very process that was identified earlier still lives. */
export async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  const now = await identifyProcess(pid);
  return now === undefined ? isHidden(pid) : now.startTime === startTime;
}

/** Whether a process lives that this user may not look at (proc mounted with hidepid): better to wait for it than to rob it. */
function isHidden(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return isSystemError(error, 'EPERM');
  }
}

/** A process and the machine that it runs on, as a file on a disk names it that several machines may see. */
export interface ProcessOnMachine extends ProcessIdentity {
  readonly hostname: string;
}

/** This process. */
export async function identifySelf(): Promise<ProcessOnMachine> {
  return { pid: process.pid, startTime: (await identifyProcess(process.pid))?.startTime ?? '', hostname: hostname() };
}

/** Whether a process runs on this machine. A laptop changes its name with the network; the boot id before the colon of a start time on Linux stays. */
export async function isOfThisMachine({ hostname: host, startTime }: ProcessOnMachine): Promise<boolean> {
  if (host === hostname()) return true;
  const own = (await identifySelf()).startTime;
  const boot = own.slice(0, own.indexOf(':') + 1);
  return process.platform === 'linux' && boot.length > 1 && startTime.startsWith(boot);
}

/** Whether a process lives; of one on another machine nothing is known, so it counts as living. */
export async function mayBeAlive(holder: ProcessOnMachine): Promise<boolean> {
  return !(await isOfThisMachine(holder)) || (await isAlive(holder));
}
