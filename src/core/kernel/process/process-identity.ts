import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { isSystemError } from '../errors.ts';

/** Identifies a process, even if a later one gets the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Its start time in the system's own notation. Only compare it for equality. */
  readonly startTime: string;
}

/**
 * Identifies the process with a pid; undefined if there is none. Linux: field 22 of /proc/PID/stat (proc(5)) with the boot id, because
 * ticks are counted from boot. Elsewhere: `ps -o lstart=`.
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
  const directory = procDirectory(pid);
  if (directory === undefined) return undefined;
  try {
    const stat = readFileSync(`${directory}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may contain anything, so search from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
    return { pid, startTime: `${bootId()}:${startTicks}` };
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/**
 * The /proc directory of a process in this pid namespace. After `unshare -p` without `--mount-proc`, /proc still shows the outer
 * namespace, where the same number is another process. Then the process is found by its number in the inner namespace.
 */
function procDirectory(pid: number): string | undefined {
  if (isProcOurs()) return `/proc/${pid}`;
  if (pid === process.pid) return '/proc/self';
  const namespace = pidNamespace();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const inside = /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'latin1'))?.[1];
      if (Number(inside) === pid && readlinkSync(`/proc/${name}/ns/pid`) === namespace) return `/proc/${name}`;
    } catch {
      // It has ended, or belongs to another user.
    }
  }
  return undefined;
}

function isProcOurs(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid);
  } catch {
    return true;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

const pidNamespace = (): string | undefined => namespaceOf('pid');

/** A namespace of this process as Linux names it, e.g. `pid:[4026531836]`; undefined on other systems. */
export function namespaceOf(kind: 'pid' | 'net' | 'time'): string | undefined {
  try {
    return readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return undefined;
  }
}

/** Whether the process that was identified earlier is still alive. The pid must belong to this pid namespace. */
async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  const now = await identifyProcess(pid);
  return now === undefined ? isHidden(pid) : now.startTime === startTime;
}

/** Whether a process is alive but invisible to this user (proc mounted with hidepid). It is safer to wait for it than to take its lock. */
function isHidden(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return isSystemError(error, 'EPERM');
  }
}

/** A process and its location, as saved in a file on a disk that several machines and containers can see. */
export interface ProcessOnMachine extends ProcessIdentity {
  readonly hostname: string;
  /** Its pid namespace on Linux. Its pid means nothing in another namespace. Other systems have none. */
  readonly namespace?: string;
}

/** This process. */
export const identifySelf = async (): Promise<ProcessOnMachine> =>
  locate((await identifyProcess(process.pid)) ?? { pid: process.pid, startTime: '' });

/** Adds the location to a process of this pid namespace, for other machines and containers. */
export function locate({ pid, startTime }: ProcessIdentity): ProcessOnMachine {
  const { hostname: host, namespace } = ownSite();
  return { pid, startTime, hostname: host, ...(namespace !== undefined && { namespace }) };
}

/** Whether two entries mean the same process. The machine's name may have changed in between. */
export const isSameProcess = (one: ProcessOnMachine, other: ProcessOnMachine): boolean =>
  one.pid === other.pid && one.startTime === other.startTime && one.namespace === other.namespace;

/** The location of a process. */
export interface Site {
  readonly hostname: string;
  /** The boot id of Linux; empty elsewhere. */
  readonly boot: string;
  readonly namespace: string | undefined;
}

/** The location of this process. */
export const ownSite = (): Site => ({
  hostname: hostname(),
  boot: process.platform === 'linux' ? bootId() : '',
  namespace: process.platform === 'linux' ? pidNamespace() : undefined,
});

/**
 * Whether a process runs on this machine, since its last boot, and in the same pid namespace. Only then its pid means something here. A
 * laptop changes its hostname with the network, and a container may share it, so the boot id decides if there is one.
 */
export function isLocalProcess({ hostname: host, startTime, namespace }: ProcessOnMachine, own: Site = ownSite()): boolean {
  const isSameMachine = own.boot === '' ? host === own.hostname : bootOf(startTime) === own.boot;
  return isSameMachine && namespace === own.namespace;
}

/** The boot id in a Linux start time. */
const bootOf = (startTime: string): string => startTime.slice(0, Math.max(0, startTime.indexOf(':')));

/** Whether a process is alive. `unknown` if it is not a local process: then its pid proves nothing, and its heartbeat decides. */
export async function lifeOf(holder: ProcessOnMachine): Promise<'alive' | 'dead' | 'unknown'> {
  if (!isLocalProcess(holder)) return 'unknown';
  return (await isAlive(holder)) ? 'alive' : 'dead';
}

/** Describes the location of a process elsewhere: `in another container`, `on nas-2`; undefined for a local process. */
export function describePlace(holder: ProcessOnMachine, own: Site = ownSite()): string | undefined {
  if (isLocalProcess(holder, own)) return undefined;
  const { hostname: host, startTime } = holder;
  if (own.boot !== '' && bootOf(startTime) === own.boot)
    return host === own.hostname ? 'in another container' : `in another container (${host})`;
  // It may be another machine with the same name, or this one before its last boot.
  return host === own.hostname ? `on another ${host}, or on this one before its last start` : `on ${host}`;
}
