import { realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../../config/settings.ts';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { readTextIfPresent } from '../../kernel/files/if-present.ts';
import type { World } from '../../kernel/world.ts';
import { launchdLabel, type ServiceManager, type UnitContent, unitFile } from './unit-file.ts';

/** The service to manage. */
export interface ServiceRequest {
  /** If absent, the manager of this system. */
  readonly manager?: ServiceManager | undefined;
  readonly role: 'auto' | 'store' | 'node';
}

/** Marks a unit as made by skulk. */
export const signature = 'Made by `skulk service install`';

/** The unit for this user and configuration, and its path. */
export async function describeUnit({ world, config }: Deps, { manager: wanted, role }: ServiceRequest) {
  const manager = wanted ?? managerOf(world.platform);
  const { homeDirectory: home, env } = world;
  const path =
    manager === 'systemd'
      ? join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'systemd', 'user', 'skulk.service')
      : join(home, 'Library', 'LaunchAgents', `${launchdLabel}.plist`);
  const script = await realpath(process.argv[1] ?? '').catch(() => undefined);
  if (script === undefined) throw new Error('cannot find the path of this program');
  // The service runs in another directory, where another file could be found.
  const file = config.file === undefined ? [] : ['--config', config.file];
  const command = [process.execPath, script, 'serve', ...(role === 'auto' ? [] : ['--role', role]), ...file];
  const refresh = [process.execPath, script, 'service', 'refresh', ...file];
  const kept = [
    'SKULK_HOME',
    'SKULK_NODE_ID',
    'SKULK_STORE',
    'SKULK_SECOND_STORES',
    'SKULK_UPSTREAM',
    'HF_ENDPOINT',
    'HF_HUB_OFFLINE',
    'SKULK_NO_MDNS',
    'SKULK_NO_DISCOVERY',
  ];
  const environment = Object.fromEntries(kept.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const writable = await writablePaths(world, config);
  const unit: UnitContent = { command, refresh, environment, writable, logFile: join(config.skulkHome, 'serve.log') };
  return { manager, path, unit, content: unitFile(manager, unit) };
}

function managerOf(platform: NodeJS.Platform): ServiceManager {
  if (platform === 'linux') return 'systemd';
  if (platform === 'darwin') return 'launchd';
  throw new SkulkError('USAGE', `no service unit for ${platform}`, { hint: 'run `skulk serve` with the service manager of that system' });
}

/** The directories that a server writes to: its own files, the store, the staged copies, and the configuration, which the page changes. */
async function writablePaths(world: World, { skulkHome, file, settings }: Config): Promise<readonly string[]> {
  const configFile = file ?? join(world.env['XDG_CONFIG_HOME'] || join(world.homeDirectory, '.config'), 'skulk', 'skulk.yaml');
  // A change of a linked file changes the link's target.
  const behind = await realpath(configFile).catch(() => configFile);
  const paths = [skulkHome, settings.storePath.value, settings.nodeCachePath.value, dirname(configFile), dirname(behind)];
  return [...new Set(paths.map((path) => resolve(world.cwd, path)))];
}

/** The text of a unit; undefined if there is none. */
export const readUnit = (path: string): Promise<string | undefined> => readTextIfPresent(path);
