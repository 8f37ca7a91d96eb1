import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { isSystemError } from '../errors.ts';

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
  const directory = procDirectory(pid);
  if (directory === undefined) return undefined;
  try {
    const stat = readFileSync(`${directory}/stat`, 'latin1');
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

/**
 * Where /proc has a process of this pid namespace. After `unshare -p` without `--mount-proc`, /proc still shows the namespace
 * outside, where the same number is another process; then the process is found by the number that it has inside.
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
      // It ended meanwhile, or belongs to another user.
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

/** Whether the very process that was identified earlier still lives. The pid must be one of this pid namespace. */
async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
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

/** A process and where it runs, as a file on a disk names it that several machines and containers may see. */
export interface ProcessOnMachine extends ProcessIdentity {
  readonly hostname: string;
  /** Its pid namespace on Linux: in another one its pid means nothing. Other systems have none. */
  readonly namespace?: string;
}

/** This process. */
export const identifySelf = async (): Promise<ProcessOnMachine> =>
  locate((await identifyProcess(process.pid)) ?? { pid: process.pid, startTime: '' });

/** A process of this pid namespace, as other machines and containers are told of it. */
export function locate({ pid, startTime }: ProcessIdentity): ProcessOnMachine {
  const { hostname: host, namespace } = ownSite();
  return { pid, startTime, hostname: host, ...(namespace !== undefined && { namespace }) };
}

/** Whether two names are of the same process. The machine's own name may have changed in between. */
export const isSameProcess = (one: ProcessOnMachine, other: ProcessOnMachine): boolean =>
  one.pid === other.pid && one.startTime === other.startTime && one.namespace === other.namespace;

/** Where a process runs. */
export interface Site {
  readonly hostname: string;
  /** The boot id of Linux; empty elsewhere. */
  readonly boot: string;
  readonly namespace: string | undefined;
}

/** Where this process runs. */
export const ownSite = (): Site => ({
  hostname: hostname(),
  boot: process.platform === 'linux' ? bootId() : '',
  namespace: process.platform === 'linux' ? pidNamespace() : undefined,
});

/**
 * Whether a process runs on this machine, since its last start, and in the same pid namespace: only then its pid means something here.
 * A laptop changes its hostname with the network and a container may share it, so a boot id decides where there is one.
 */
export function isLocalProcess({ hostname: host, startTime, namespace }: ProcessOnMachine, own: Site = ownSite()): boolean {
  const isSameMachine = own.boot === '' ? host === own.hostname : bootOf(startTime) === own.boot;
  return isSameMachine && namespace === own.namespace;
}

/** The boot id in a start time of Linux. */
const bootOf = (startTime: string): string => startTime.slice(0, Math.max(0, startTime.indexOf(':')));

/** Whether a process lives. `unknown` when it is not a local process: its pid does not tell then, and its heartbeat must. */
export async function lifeOf(holder: ProcessOnMachine): Promise<'alive' | 'dead' | 'unknown'> {
  if (!isLocalProcess(holder)) return 'unknown';
  return (await isAlive(holder)) ? 'alive' : 'dead';
}

/** Where a process runs that is not here, as a sentence says it: `in another container`, `on nas-2`; undefined for one of here. */
export function describePlace(holder: ProcessOnMachine, own: Site = ownSite()): string | undefined {
  if (isLocalProcess(holder, own)) return undefined;
  const { hostname: host, startTime } = holder;
  if (own.boot !== '' && bootOf(startTime) === own.boot)
    return host === own.hostname ? 'in another container' : `in another container (${host})`;
  // It may be another machine of the same name, or this one before it was started again.
  return host === own.hostname ? `on another ${host}, or on this one before its last start` : `on ${host}`;
}
