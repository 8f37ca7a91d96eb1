import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Deps } from '../../connect/deps.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { describeUnit, readUnit, type ServiceRequest } from './describe-unit.ts';
import { launchdLabel, type ServiceManager } from './unit-file.ts';

/** The state of the service. */
export interface ServiceState {
  readonly action: 'status';
  readonly manager: ServiceManager;
  readonly path: string;
  /** The manager's name of the state, e.g. active, inactive or failed under systemd. */
  readonly state: string;
  readonly running: boolean;
  readonly pid: number | null;
}

/** Lines of the service's log, oldest first. */
export interface ServiceLogs {
  readonly action: 'logs';
  readonly manager: ServiceManager;
  readonly lines: readonly string[];
}

/** The result of a restart. */
export interface ServiceRestart {
  readonly action: 'restart';
  readonly manager: ServiceManager;
  readonly path: string;
}

const maxLogLines = 100;
const maxLogBytes = 256 * 1024;

const target = (): string => `gui/${process.getuid?.() ?? 0}/${launchdLabel}`;

/**
 * Asks the service manager for the state of the service.
 * @throws SkulkError NOT_FOUND if the service is not installed, or the manager's program is missing
 */
export async function serviceStatus(deps: Deps, request: ServiceRequest): Promise<ServiceState> {
  const { path, manager } = await installed(deps, request);
  if (manager === 'systemd') {
    const text = await ask(deps, ['systemctl', '--user', 'show', 'skulk.service', '--property=ActiveState,MainPID']);
    const state = /^ActiveState=(.*)$/m.exec(text)?.[1] ?? 'unknown';
    return { action: 'status', manager, path, state, running: state === 'active', pid: pidOf(/^MainPID=(\d+)$/m.exec(text)?.[1]) };
  }
  const text = await ask(deps, ['launchctl', 'print', target()], { mayFail: true });
  const pid = pidOf(/^\s*pid = (\d+)$/m.exec(text)?.[1]);
  const state = /^\s*state = (.*)$/m.exec(text)?.[1] ?? 'not loaded';
  return { action: 'status', manager, path, state, running: pid !== null, pid };
}

/**
 * Restarts the service, or starts a stopped one.
 * @throws SkulkError NOT_FOUND if the service is not installed, CONFIG if the manager refuses
 */
export async function restartService(deps: Deps, request: ServiceRequest): Promise<ServiceRestart> {
  const { path, manager } = await installed(deps, request);
  await ask(deps, manager === 'systemd' ? ['systemctl', '--user', 'restart', 'skulk.service'] : ['launchctl', 'kickstart', '-k', target()]);
  return { action: 'restart', manager, path };
}

/**
 * The last lines that the service logged.
 * @throws SkulkError NOT_FOUND if the service is not installed, or the manager's program is missing
 */
export async function serviceLogs(deps: Deps, request: ServiceRequest): Promise<ServiceLogs> {
  const { manager, unit } = await installed(deps, request);
  const text =
    manager === 'systemd'
      ? await ask(deps, ['journalctl', '--user', '-u', 'skulk.service', '-n', String(maxLogLines), '--no-pager', '-o', 'cat'])
      : await readEnd(unit.logFile);
  return {
    action: 'logs',
    manager,
    lines: text
      .split('\n')
      .filter((line) => line !== '')
      .slice(-maxLogLines),
  };
}

const pidOf = (text: string | undefined): number | null => (text === undefined || text === '0' ? null : Number(text));

async function installed(deps: Deps, request: ServiceRequest) {
  const described = await describeUnit(deps, request);
  if ((await readUnit(described.path)) === undefined)
    throw new SkulkError('NOT_FOUND', `the service is not installed: ${described.path} does not exist`, {
      hint: '`skulk service install` installs and starts it',
    });
  return described;
}

/** The end of a file, from the beginning of a line; empty for a missing file. */
async function readEnd(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const from = Math.max(0, size - maxLogBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const text = buffer.toString('utf8', 0, bytesRead);
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw error;
  }
}

async function ask({ world }: Deps, command: readonly string[], { mayFail = false } = {}): Promise<string> {
  const [program = '', ...args] = command;
  try {
    const options = { env: world.env as NodeJS.ProcessEnv, timeout: 60_000, signal: world.signal, maxBuffer: 16 * 1024 * 1024 };
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    if (world.signal.aborted) throw world.signal.reason;
    if (mayFail && !isSystemError(error, 'ENOENT')) return '';
    const { stderr = '', message } = error as Error & { stderr?: string };
    const says = (stderr.trim() || message).split('\n').at(-1);
    throw new SkulkError(isSystemError(error, 'ENOENT') ? 'NOT_FOUND' : 'CONFIG', `${command.join(' ')} failed: ${says}`, {
      hint: 'run it in a session of the user who owns the service',
      cause: error,
    });
  }
}
