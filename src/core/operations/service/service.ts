import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Deps } from '../../connect/deps.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { describeUnit, readUnit, type ServiceRequest, signature } from './describe-unit.ts';
import { keepUnit } from './keep-unit.ts';
import { launchdLabel, type ServiceManager } from './unit-file.ts';

/** A unit, its path, and the commands that were or would be run. */
export interface ServiceReport {
  readonly action: 'print' | 'install' | 'uninstall' | 'refresh';
  readonly manager: ServiceManager;
  readonly path: string;
  readonly content: string;
  /** The commands that notify the manager, one per line. */
  readonly commands: readonly (readonly string[])[];
  /** Whether something was changed. */
  readonly changed: boolean;
  /** Whether the manager stopped the service; only after the removal of a unit. */
  readonly stopped?: boolean;
}

/** Describes the unit for this user and configuration, without doing anything. */
export async function printService(deps: Deps, request: ServiceRequest): Promise<ServiceReport> {
  const { path, content, manager } = await describeUnit(deps, request);
  return { action: 'print', manager, path, content, commands: startCommands(manager, path), changed: false };
}

/**
 * Writes the unit and starts the service, now and at each login. Repeating it with the same unit changes nothing.
 * @throws SkulkError CONFLICT if there is another unit with that name. Before anything is written: NOT_FOUND if systemctl is missing,
 * CONFIG if there is no systemd user session. After that CONFIG if the manager refuses
 */
export async function installService(
  deps: Deps,
  { force, ...request }: ServiceRequest & { readonly force: boolean },
): Promise<ServiceReport> {
  const { path, content, manager, unit } = await describeUnit(deps, request);
  const before = await readUnit(path);
  if (before !== undefined && before !== content && !force && !before.includes(signature))
    throw new SkulkError('CONFLICT', `${path} exists and was not created by skulk`, { hint: 'check it; --force replaces it' });
  if (manager === 'systemd') await requireSession(deps);
  await makeOwnDirectories(deps, unit);
  if (before !== content) await explainingDiskErrors(`cannot write ${path}`, () => writeFileDurably(path, content));
  const commands = startCommands(manager, path);
  for (const command of commands) await run(deps, command, { path, mayFail: command.includes('bootout') });
  return { action: 'install', manager, path, content, commands, changed: before !== content };
}

/**
 * Updates the paths in the unit to match the configuration. The unit runs this before each start.
 * @throws SkulkError PERMISSION, NO_SPACE; USAGE for launchd, whose plist has no paths
 */
export async function refreshService(deps: Deps, request: ServiceRequest): Promise<ServiceReport> {
  const { path, content, manager } = await describeUnit(deps, request);
  if (manager !== 'systemd')
    throw new SkulkError('USAGE', 'only systemd units contain the configured paths', { hint: 'there is nothing to refresh' });
  const kept = await keepUnit(deps);
  const commands = kept?.changed === true ? [reload] : [];
  for (const command of commands) await run(deps, command, { path, mayFail: true });
  return { action: 'refresh', manager, path, content: (await readUnit(path)) ?? content, commands, changed: kept?.changed === true };
}

/** Under systemd only directories that exist at the start are writable, so the server's own directories are created before. */
async function makeOwnDirectories({ config }: Deps, { writable }: { readonly writable: readonly string[] }): Promise<void> {
  const { storePath } = config.settings;
  // The store's directory may be on a disk that is not mounted, so it is not created.
  for (const path of writable)
    if (path !== storePath.value || storePath.origin.from === 'default')
      await explainingDiskErrors(`cannot create ${path}`, () => makeDirectory(path));
}

/** Stops the service and removes its unit. Succeeds if there is none. */
export async function uninstallService(deps: Deps, request: ServiceRequest): Promise<ServiceReport> {
  const { path, manager } = await describeUnit(deps, request);
  const before = await readUnit(path);
  const commands = stopCommands(manager);
  if (before === undefined) return { action: 'uninstall', manager, path, content: '', commands: [], changed: false };
  if (!before.includes(signature))
    throw new SkulkError('CONFLICT', `${path} was not created by skulk`, { hint: 'remove it by hand if it is not needed' });
  const [stop, ...after] = commands;
  const stopped = stop !== undefined && (await run(deps, stop, { path, mayFail: true }));
  await explainingDiskErrors(`cannot remove ${path}`, () => rm(path, { force: true }));
  for (const command of after) await run(deps, command, { path, mayFail: true });
  return { action: 'uninstall', manager, path, content: before, commands, changed: true, stopped };
}

const domain = (): string => `gui/${process.getuid?.() ?? 0}`;

const reload = ['systemctl', '--user', 'daemon-reload'] as const;

const startCommands = (manager: ServiceManager, path: string): readonly (readonly string[])[] =>
  manager === 'systemd'
    ? [reload, ['systemctl', '--user', 'enable', 'skulk.service'], ['systemctl', '--user', 'restart', 'skulk.service']]
    : [
        ['launchctl', 'bootout', `${domain()}/${launchdLabel}`],
        ['launchctl', 'bootstrap', domain(), path],
      ];

const stopCommands = (manager: ServiceManager): readonly (readonly string[])[] =>
  manager === 'systemd'
    ? [['systemctl', '--user', 'disable', '--now', 'skulk.service'], reload]
    : [['launchctl', 'bootout', `${domain()}/${launchdLabel}`]];

/** Without a session of systemd for this user, no unit can be started, and a written one would be left behind. */
async function requireSession({ world }: Deps): Promise<void> {
  const args = ['--user', 'show', '--property=Version'];
  try {
    await promisify(execFile)('systemctl', args, { env: world.env as NodeJS.ProcessEnv, timeout: 60_000, signal: world.signal });
  } catch (error) {
    if (world.signal.aborted) throw world.signal.reason;
    const { stderr = '', message } = error as Error & { stderr?: string };
    const isMissing = isSystemError(error, 'ENOENT');
    const says = isMissing ? 'systemctl was not found' : (stderr.trim() || message).split('\n').at(-1);
    throw new SkulkError(isMissing ? 'NOT_FOUND' : 'CONFIG', `there is no systemd user session here: ${says}; nothing was written`, {
      hint: `run \`loginctl enable-linger ${world.user()}\` and log in as that user, or install \`skulk service print\` as a system-wide unit, or run \`skulk serve\` under another supervisor`,
      cause: error,
    });
  }
}

/** @returns whether the command succeeded */
async function run({ world }: Deps, command: readonly string[], { path, mayFail }: { path: string; mayFail: boolean }): Promise<boolean> {
  const [program = '', ...args] = command;
  try {
    await promisify(execFile)(program, args, { env: world.env as NodeJS.ProcessEnv, timeout: 60_000, signal: world.signal });
    return true;
  } catch (error) {
    if (world.signal.aborted) throw world.signal.reason;
    if (mayFail) return false;
    const { stderr = '', message } = error as Error & { stderr?: string };
    const says = (stderr.trim() || message).split('\n').at(-1);
    throw new SkulkError(isSystemError(error, 'ENOENT') ? 'NOT_FOUND' : 'CONFIG', `${command.join(' ')} failed: ${says}`, {
      hint: `the unit was written to ${path}; start it with your service manager, or use \`skulk service print\` for a system-wide unit`,
      cause: error,
    });
  }
}
