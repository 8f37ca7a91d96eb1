import { execFile } from 'node:child_process';
import { readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeFileDurably } from '../../kernel/durable-file.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import type { Deps } from '../deps.ts';
import { launchdLabel, type ServiceManager, unitFile } from './unit-file.ts';

/** What is to be kept running. */
export interface ServiceRequest {
  /** The one of this system when absent. */
  readonly manager?: ServiceManager | undefined;
  readonly role: 'auto' | 'store' | 'node';
}

/** A unit, where it belongs, and what was or would be run. */
export interface ServiceReport {
  readonly action: 'print' | 'install' | 'uninstall';
  readonly manager: ServiceManager;
  readonly path: string;
  readonly content: string;
  /** What tells the manager of it, one command per line. */
  readonly commands: readonly (readonly string[])[];
  /** Whether something was changed. */
  readonly changed: boolean;
}

/** The unit for this user and configuration, without doing anything. */
export async function printService(deps: Deps, request: ServiceRequest): Promise<ServiceReport> {
  const { path, content, manager } = await describe(deps, request);
  return { action: 'print', manager, path, content, commands: startCommands(manager, path), changed: false };
}

/**
 * Writes the unit and has it started, now and whenever the user logs in. A second time with the same unit changes nothing.
 * @throws SkulkError CONFLICT when another unit of that name is there, NOT_FOUND without the manager's program
 */
export async function installService(
  deps: Deps,
  { force, ...request }: ServiceRequest & { readonly force: boolean },
): Promise<ServiceReport> {
  const { path, content, manager } = await describe(deps, request);
  const before = await readUnit(path);
  if (before !== undefined && before !== content && !force && !before.includes(signature))
    throw new SkulkError('CONFLICT', `${path} is there and was not made by skulk`, { hint: 'look at it; --force replaces it' });
  if (before !== content) await explainingDiskErrors(`cannot write ${path}`, () => writeFileDurably(path, content));
  const commands = startCommands(manager, path);
  for (const command of commands) await run(deps, command, { path, mayFail: command.includes('bootout') });
  return { action: 'install', manager, path, content, commands, changed: before !== content };
}

/** Stops the service and removes its unit. That there is none is no failure. */
export async function uninstallService(deps: Deps, request: ServiceRequest): Promise<ServiceReport> {
  const { path, manager } = await describe(deps, request);
  const before = await readUnit(path);
  const commands = stopCommands(manager);
  if (before === undefined) return { action: 'uninstall', manager, path, content: '', commands: [], changed: false };
  if (!before.includes(signature))
    throw new SkulkError('CONFLICT', `${path} was not made by skulk`, { hint: 'remove it by hand if it is not needed' });
  const [stop, ...after] = commands;
  if (stop !== undefined) await run(deps, stop, { path, mayFail: true });
  await explainingDiskErrors(`cannot remove ${path}`, () => rm(path, { force: true }));
  for (const command of after) await run(deps, command, { path, mayFail: true });
  return { action: 'uninstall', manager, path, content: before, commands, changed: true };
}

const signature = 'Made by `skulk service install`';

async function describe({ world, config }: Deps, { manager: wanted, role }: ServiceRequest) {
  const manager = wanted ?? managerOf(world.platform);
  const { homeDirectory: home, env } = world;
  const path =
    manager === 'systemd'
      ? join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'systemd', 'user', 'skulk.service')
      : join(home, 'Library', 'LaunchAgents', `${launchdLabel}.plist`);
  const script = await realpath(process.argv[1] ?? '').catch(() => undefined);
  if (script === undefined) throw new Error('this program does not know where it lies');
  const command = [
    process.execPath,
    script,
    'serve',
    ...(role === 'auto' ? [] : ['--role', role]),
    // The service runs in another directory, where another file could be found.
    ...(config.file === undefined ? [] : ['--config', config.file]),
  ];
  const kept = ['SKULK_HOME', 'SKULK_NODE_ID', 'SKULK_STORE', 'HF_ENDPOINT', 'HF_HUB_OFFLINE', 'SKULK_NO_MDNS', 'SKULK_NO_DISCOVERY'];
  const environment = Object.fromEntries(kept.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const content = unitFile(manager, { command, environment, logFile: join(config.skulkHome, 'serve.log') });
  return { manager, path, content };
}

function managerOf(platform: NodeJS.Platform): ServiceManager {
  if (platform === 'linux') return 'systemd';
  if (platform === 'darwin') return 'launchd';
  throw new SkulkError('USAGE', `there is no unit for ${platform}`, { hint: 'run `skulk serve` by what starts programs there' });
}

const domain = (): string => `gui/${process.getuid?.() ?? 0}`;

const startCommands = (manager: ServiceManager, path: string): readonly (readonly string[])[] =>
  manager === 'systemd'
    ? [
        ['systemctl', '--user', 'daemon-reload'],
        ['systemctl', '--user', 'enable', 'skulk.service'],
        ['systemctl', '--user', 'restart', 'skulk.service'],
      ]
    : [
        ['launchctl', 'bootout', `${domain()}/${launchdLabel}`],
        ['launchctl', 'bootstrap', domain(), path],
      ];

const stopCommands = (manager: ServiceManager): readonly (readonly string[])[] =>
  manager === 'systemd'
    ? [
        ['systemctl', '--user', 'disable', '--now', 'skulk.service'],
        ['systemctl', '--user', 'daemon-reload'],
      ]
    : [['launchctl', 'bootout', `${domain()}/${launchdLabel}`]];

async function readUnit(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
}

async function run({ world }: Deps, command: readonly string[], { path, mayFail }: { path: string; mayFail: boolean }): Promise<void> {
  const [program = '', ...args] = command;
  try {
    await promisify(execFile)(program, args, { env: world.env as NodeJS.ProcessEnv, timeout: 60_000, signal: world.signal });
  } catch (error) {
    if (world.signal.aborted) throw world.signal.reason;
    if (mayFail) return;
    const { stderr = '', message } = error as Error & { stderr?: string };
    const says = (stderr.trim() || message).split('\n').at(-1);
    throw new SkulkError(isSystemError(error, 'ENOENT') ? 'NOT_FOUND' : 'CONFLICT', `${command.join(' ')} failed: ${says}`, {
      hint: `the unit is written at ${path}; start it as your system does, or use \`skulk service print\` for a unit of the whole system`,
      cause: error,
    });
  }
}
