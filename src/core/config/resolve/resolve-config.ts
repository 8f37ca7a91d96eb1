import { join, resolve } from 'node:path';
import { SkulkError } from '../../kernel/errors.ts';
import type { World } from '../../kernel/world.ts';
import type { ConfigFile, ModelStore } from '../schema.ts';
import { type Config, placeOf, type Setting, type SettingFlags, type Settings, type SwarmSettings, usualMachine } from '../settings.ts';
import { type TokenFile, tidyToken } from '../token-file.ts';
import { expandAbsolute } from './expand-absolute.ts';
import { overrideOf } from './override-of.ts';
import { isThisMachine } from './same-host.ts';
import { settler } from './settler.ts';
import { checkHost, checkStoreUrl, readSecondStores, usualStorePort, withScheme } from './store-address.ts';

/** What the configuration of this machine is made of. */
export interface ConfigSources {
  readonly content: ConfigFile;
  /** The path of the configuration file. */
  readonly file: string | undefined;
  /** The line of a key in that file, from 1. */
  readonly lineOf?: (key: string) => number | undefined;
  readonly flags: SettingFlags;
  readonly nodeId: string | undefined;
  readonly skulkHome: string;
  /** The Hub's own token file. */
  readonly tokenFile?: TokenFile | undefined;
  /** Names that resolve to this machine. */
  readonly aliases?: readonly string[];
  readonly tokenHosts?: readonly string[];
  readonly swarm?: SwarmSettings;
  readonly secondStores?: readonly string[];
  /** Whether the configuration file may choose the store that gets the token. */
  readonly fileMayDirectToken?: boolean;
}

/**
 * Merges the sources into effective settings. Pure, except that paths are expanded with the environment.
 * @throws SkulkError CONFIG for a relative path or an invalid value in the environment
 */
export function resolveConfig(world: World, sources: ConfigSources): Config {
  const { file, nodeId, skulkHome, aliases = [], fileMayDirectToken = true } = sources;
  const { tokenHosts, swarm, secondStores } = { ...usualMachine, ...sources };
  const { hostname } = world;
  const settings = resolveSettings(world, sources);
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

/** The effective settings, each with its origin. */
function resolveSettings(
  world: World,
  { content, file, lineOf = () => undefined, flags, nodeId, skulkHome, tokenFile, aliases = [] }: ConfigSources,
): Settings {
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
  return {
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
    token: tidyToken(
      settle<string | undefined>(undefined, ['auth.token', store.auth?.token], {
        env: ['SKULK_TOKEN', env(world, 'SKULK_TOKEN')],
        flag: ['--token', flags.token],
      }),
    ),
    hubToken: hubTokenOf(
      tidyToken(
        settle<string | undefined>(undefined, undefined, {
          file: ['hf_token', content.hf_token || undefined],
          env: ['HF_TOKEN', env(world, 'HF_TOKEN')],
        }),
      ),
      tokenFile,
    ),
  };
}

/** The token file of the Hub's own tools comes last. */
const hubTokenOf = (setting: Setting<string | undefined>, file: TokenFile | undefined): Setting<string | undefined> =>
  setting.value !== undefined || file === undefined
    ? setting
    : { value: file.token, origin: { from: 'file', file: file.path, line: undefined, key: 'token' } };

const env = (world: World, name: string): string | undefined => world.env[name] || undefined;

const isTrue = (text: string | undefined): boolean => text !== undefined && /^(1|true|yes|on)$/i.test(text);
