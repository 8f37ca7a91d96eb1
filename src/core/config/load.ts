import { isAbsolute, join, resolve } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { isThere } from '../kernel/files/is-there.ts';
import { normalizeHostname, sameHostname } from '../kernel/machine/hostname.ts';
import { readNodeId } from '../kernel/machine/node-id.ts';
import type { World } from '../kernel/world.ts';
import { expandPath } from './expand-path.ts';
import { findAliases } from './find-aliases.ts';
import { findConfigFile, findUsersFile, type SkippedFile } from './find-file.ts';
import type { ReadConfig } from './read-file.ts';
import { type Identity, isThisMachine } from './same-host.ts';
import type { ConfigFile } from './schema.ts';
import {
  type Config,
  type MachineSettings,
  type Origin,
  placeOf,
  type Setting,
  type SettingFlags,
  type Settings,
  type SwarmSettings,
  usualMachine,
} from './settings.ts';
import { checkHost, checkStoreUrl, readSecondStores, usualStorePort, withScheme } from './store-address.ts';
import { readTokenFile, type TokenFile } from './token-file.ts';
import { warnOfMisplaced } from './warn-of-misplaced.ts';

type ModelStore = NonNullable<ConfigFile['model_store']>;

const noFile: ReadConfig = { content: {}, lineOf: () => undefined, notes: [] };

/** `SKULK_HOME`, default `~/.skulk`. */
export const skulkHomeOf = (world: World): string => resolve(world.cwd, expandPath(world.env['SKULK_HOME'] || '~/.skulk', world));

/** Whether that is not the default directory. */
export const isHomeMoved = (world: World): boolean => skulkHomeOf(world) !== resolve(world.cwd, expandPath('~/.skulk', world));

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
  const isStoreGiven = flags.store !== undefined || env(world, 'SKULK_STORE') !== undefined;
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

/**
 * Merges the sources into effective settings. Pure, except that paths are expanded with the environment.
 * @throws SkulkError CONFIG for a relative path or an invalid value in the environment
 */
export function resolveConfig(
  world: World,
  {
    content,
    file,
    lineOf = noFile.lineOf,
    flags,
    nodeId,
    skulkHome,
    tokenFile,
    aliases = [],
    tokenHosts = usualMachine.tokenHosts,
    swarm = usualMachine.swarm,
    secondStores = usualMachine.secondStores,
    fileMayDirectToken = true,
  }: {
    content: ConfigFile;
    file: string | undefined;
    lineOf?: (key: string) => number | undefined;
    flags: SettingFlags;
    nodeId: string | undefined;
    skulkHome: string;
    tokenFile?: TokenFile | undefined;
    aliases?: readonly string[];
    tokenHosts?: readonly string[];
    swarm?: SwarmSettings;
    secondStores?: readonly string[];
    fileMayDirectToken?: boolean;
  },
): Config {
  const store: ModelStore = content.model_store ?? {};
  const { hostname } = world;
  const override = overrideOf(store, { hostname, nodeId, aliases });
  const settle = settler(file, lineOf);
  const path = (setting: Setting<string>, key: string): Setting<string> => ({
    ...setting,
    value: expandAbsolute(setting, key, world, skulkHome),
  });
  const staging = <T>(key: string, of: (s: NonNullable<ModelStore['staging']>) => T | undefined, fallback: T): Setting<T> => {
    const overridden = override && of(override.staging);
    return settle(
      fallback,
      overridden !== undefined
        ? [`node_overrides.${override?.name}.staging.${key}`, overridden]
        : [`staging.${key}`, store.staging && of(store.staging)],
    );
  };
  const browseRoots = store.browse_roots?.map((root) =>
    expandAbsolute({ value: root, origin: settle('', ['browse_roots', root]).origin }, 'browse_roots', world, skulkHome),
  );
  const gib = staging('staging_keep_recent_gb', (s) => s.staging_keep_recent_gb, 40);
  const settings: Settings = {
    enabled: settle(true, ['enabled', store.enabled]),
    storeHost: settle<string | undefined>(undefined, ['store_host', store.store_host]),
    storeHttpHost: settle<string | undefined>(undefined, ['store_http_host', store.store_http_host ?? undefined], {
      flag: ['--advertise', flags.advertise],
    }),
    storePort: settle(usualStorePort, ['store_port', store.store_port], { flag: ['--port', flags.port] }),
    storePath: path(
      settle(join(skulkHome, 'store'), ['store_path', store.store_path], {
        flag: ['--store-path', flags.storePath && resolve(world.cwd, flags.storePath)],
      }),
      'store_path',
    ),
    cardsPath:
      store.cards_path === undefined
        ? { value: undefined, origin: { from: 'default' } }
        : path(settle('', ['cards_path', store.cards_path]), 'cards_path'),
    browseRoots: settle<readonly string[] | undefined>(undefined, ['browse_roots', browseRoots]),
    apiPort: settle(52415, ['api_port', store.api_port], { flag: ['--api-port', flags.apiPort] }),
    storeUrl: settle<string | undefined>(undefined, undefined, {
      env: ['SKULK_STORE', withScheme(env(world, 'SKULK_STORE'))],
      flag: ['--store', withScheme(flags.store)],
    }),
    upstream: settle<string | undefined>(undefined, undefined, {
      env: ['SKULK_UPSTREAM', withScheme(env(world, 'SKULK_UPSTREAM'))],
      flag: ['--upstream', withScheme(flags.upstream)],
    }),
    allowHubFallback: settle(true, ['download.allow_hf_fallback', store.download?.allow_hf_fallback], {
      env: ['HF_HUB_OFFLINE', isTrue(env(world, 'HF_HUB_OFFLINE')) ? false : undefined],
    }),
    maxDownloads: settle(2, ['download.max_concurrent', store.download?.max_concurrent]),
    stagingEnabled: staging('enabled', (s) => s.enabled, true),
    nodeCachePath: path(
      staging('node_cache_path', (s) => s.node_cache_path, join(skulkHome, 'staging')),
      'staging.node_cache_path',
    ),
    cleanupOnDeactivate: staging('cleanup_on_deactivate', (s) => s.cleanup_on_deactivate, true),
    keepRecentBytes: { ...gib, value: Math.min(Math.floor(gib.value * 1024 ** 3), Number.MAX_SAFE_INTEGER) },
    token: settle<string | undefined>(undefined, ['auth.token', store.auth?.token], {
      env: ['SKULK_TOKEN', env(world, 'SKULK_TOKEN')],
      flag: ['--token', flags.token],
    }),
    hubToken: hubTokenOf(
      settle<string | undefined>(undefined, undefined, {
        file: ['hf_token', content.hf_token ?? undefined],
        env: ['HF_TOKEN', env(world, 'HF_TOKEN')],
      }),
      tokenFile,
    ),
  };
  if (settings.storePort.value === settings.apiPort.value && settings.apiPort.value !== 0) {
    throw new SkulkError('CONFIG', `${placeOf(settings.apiPort.origin)}store_port and api_port are both ${settings.apiPort.value}`, {
      hint: 'use two different ports',
    });
  }
  const url = settings.storeUrl.value;
  if (url !== undefined) checkStoreUrl(url, settings.storeUrl.origin);
  const upstream = settings.upstream.value;
  if (upstream !== undefined) checkStoreUrl(upstream, settings.upstream.origin, 'SKULK_UPSTREAM_TOKEN');
  const host = settings.storeHost.value;
  if (host !== undefined) checkHost(host, settings.storeHost.origin, 'store_host');
  const isStoreHost = url === undefined && (host === undefined || isThisMachine(host, { hostname, nodeId, aliases }));
  const { value: address, origin } = settings.storeHttpHost;
  // The store host replaces one that it cannot use, and a URL takes precedence over it.
  if (!isStoreHost && url === undefined && address !== undefined && origin.from === 'file') checkHost(address, origin, 'store_http_host');
  return {
    file,
    skulkHome,
    hostname,
    nodeId,
    settings,
    isStoreHost,
    isStoreNamed: url !== undefined || host !== undefined || settings.storePath.origin.from !== 'default',
    aliases,
    tokenHosts,
    swarm,
    secondStores: readSecondStores(env(world, 'SKULK_SECOND_STORES'), secondStores, join(skulkHome, 'machine.yaml')),
    fileMayDirectToken,
  };
}

/** The token file of the Hub's own tools comes last. */
const hubTokenOf = (setting: Setting<string | undefined>, file: TokenFile | undefined): Setting<string | undefined> =>
  setting.value !== undefined || file === undefined
    ? setting
    : { value: file.token, origin: { from: 'file', file: file.path, line: undefined, key: 'token' } };

/** Picks the value of the source with the highest priority: defaults < file < environment < flags. */
function settler(file: string | undefined, lineOf: (key: string) => number | undefined) {
  return <T>(
    fallback: T,
    inStore: readonly [key: string, value: T | undefined] | undefined,
    more: {
      file?: readonly [key: string, value: T | undefined];
      env?: readonly [name: string, value: T | undefined];
      flag?: readonly [name: string, value: T | undefined];
    } = {},
  ): Setting<T> => {
    const inFile = more.file ?? (inStore && ([`model_store.${inStore[0]}`, inStore[1]] as const));
    const candidates: readonly (readonly [T | undefined, Origin])[] = [
      [more.flag?.[1], { from: 'flag', name: more.flag?.[0] ?? '' }],
      [more.env?.[1], { from: 'environment', name: more.env?.[0] ?? '' }],
      [inFile?.[1], { from: 'file', file: file ?? '', line: lineOf(inFile?.[0] ?? ''), key: inFile?.[0] ?? '' }],
    ];
    for (const [value, origin] of candidates) if (value !== undefined) return { value, origin };
    return { value: fallback, origin: { from: 'default' } };
  };
}

/** The first of `node_overrides` for a machine. */
export function overrideOf(
  store: ModelStore,
  { hostname, nodeId, aliases = [] }: Identity,
): { name: string; staging: NonNullable<ModelStore['staging']> } | undefined {
  for (const [name, { staging }] of Object.entries(store.node_overrides ?? {})) {
    // An empty override does not end the search.
    const isSelected = name === nodeId || sameHostname(name, hostname) || aliases.includes(normalizeHostname(name));
    if (staging !== undefined && isSelected) return { name, staging };
  }
  return undefined;
}

function expandAbsolute({ value, origin }: Setting<string>, key: string, world: World, skulkHome: string): string {
  const expanded = explaining(origin, () =>
    expandPath(value, { env: { ...world.env, SKULK_HOME: skulkHome }, homeDirectory: world.homeDirectory }),
  );
  if (expanded.includes('\0')) throw new SkulkError('CONFIG', `${key} has a NUL character`, { hint: 'correct the path' });
  if (isAbsolute(expanded)) return resolve(expanded);
  throw new SkulkError(
    'CONFIG',
    `${placeOf(origin)}${origin.from === 'file' ? origin.key : key} is ${JSON.stringify(value)}, a relative path`,
    { hint: 'write an absolute path, or begin it with ~ or $HOME' },
  );
}

/** Adds the position of the value that `work` cannot use to the error. */
function explaining<T>(origin: Origin, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof SkulkError
      ? new SkulkError(error.code, `${placeOf(origin)}${error.message}`, { hint: error.hint, cause: error })
      : error;
  }
}

const env = (world: World, name: string): string | undefined => world.env[name] || undefined;

const isTrue = (text: string | undefined): boolean => text !== undefined && /^(1|true|yes|on)$/i.test(text);
