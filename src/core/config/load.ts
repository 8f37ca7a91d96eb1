import { join } from 'node:path';
import { isThere } from '../kernel/files/is-there.ts';
import { readNodeId } from '../kernel/machine/node-id.ts';
import type { World } from '../kernel/world.ts';
import { findConfigFile, findUsersFile, type SkippedFile } from './find-file.ts';
import type { ReadConfig } from './read-file.ts';
import { findAliases } from './resolve/find-aliases.ts';
import { resolveConfig } from './resolve/resolve-config.ts';
import { usualStorePort } from './resolve/store-address.ts';
import type { ModelStore } from './schema.ts';
import { type Config, type MachineSettings, type SettingFlags, usualMachine } from './settings.ts';
import { skulkHomeOf } from './skulk-home.ts';
import { readTokenFile } from './token-file.ts';
import { warnOfMisplaced } from './warn-of-misplaced.ts';

const noFile: ReadConfig = { content: {}, lineOf: () => undefined, notes: [] };

/**
 * Finds, reads, validates and resolves the configuration for this machine: defaults < file < environment < flags.
 * @throws SkulkError CONFIG
 */
export async function loadConfig(world: World, flags: SettingFlags = {}): Promise<Config> {
  const skulkHome = skulkHomeOf(world);
  const [{ found, skipped }, nodeId, machine] = await Promise.all([
    findConfigFile(world, flags.config),
    readNodeId(skulkHome, world.env['SKULK_NODE_ID']),
    machineSettingsOf(skulkHome),
  ]);
  for (const one of skipped) world.emit(warningOf(one));
  // Loading YAML and the validator costs 40 ms, which a machine without a file should not pay.
  const read = found === undefined ? noFile : await readConfigFileLazily(found.path);
  const isStoreGiven = flags.store !== undefined || Boolean(world.env['SKULK_STORE']);
  if (found !== undefined) warnOfMisplaced(world, found.path, { ...read, isStoreGiven });
  for (const message of read.notes) world.emit({ type: 'note', message });
  const tokenFile = world.env['HF_TOKEN'] || read.content.hf_token ? undefined : await readTokenFile(world);
  const fileMayDirectToken = found?.isOfWorkingTree !== true || (await isVouchedFor(world, read.content.model_store ?? {}));
  const { hostname } = world;
  const aliases = isStoreGiven ? [] : await findAliases(read.content.model_store?.store_host, { hostname, nodeId });
  const sources = { ...read, file: found?.path, flags, nodeId, skulkHome, tokenFile, aliases, ...machine, fileMayDirectToken };
  return resolveConfig(world, sources);
}

/** The file's reader is only loaded if there is a file. */
async function machineSettingsOf(skulkHome: string): Promise<MachineSettings> {
  if (!(await isThere(join(skulkHome, 'machine.yaml')))) return usualMachine;
  return (await import('./machine-settings.ts')).readMachineSettings(skulkHome);
}

const readConfigFileLazily = async (path: string): Promise<ReadConfig> => (await import('./read-file.ts')).readConfigFile(path);

/** Whether the user's own file names the same store as a file in the working tree. */
async function isVouchedFor(world: World, store: ModelStore): Promise<boolean> {
  if (store.store_host === undefined) return false;
  const path = await findUsersFile(world);
  if (path === undefined) return false;
  // A broken file counts as empty.
  const own = await readConfigFileLazily(path).catch(() => noFile);
  const placeOf = ({ store_host, store_http_host, store_port }: ModelStore): string | undefined =>
    (store_http_host ?? store_host) && `${(store_http_host ?? store_host)?.toLowerCase()}:${store_port ?? usualStorePort}`;
  return placeOf(store) === placeOf(own.content.model_store ?? {});
}

/** The warning for a found file that does not count. */
export const warningOf = ({ path, because }: SkippedFile): { type: 'warning'; message: string; hint: string } => ({
  type: 'warning',
  message: `${path} is not read: ${because}, so another user could have put it there`,
  hint: `if you trust it, use --config ${path}`,
});
