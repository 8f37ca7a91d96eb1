import { type Config, type Origin, placeOf, type Settings } from './settings.ts';
import { secretKeys } from './shared-keys.ts';

/** One row of `skulk config show`: the key as in the file, the effective value, and its source. */
export interface ConfigRow {
  readonly key: string;
  readonly value: string | number | boolean | readonly string[] | null;
  readonly origin: string;
}

const keys: readonly (readonly [key: string, setting: keyof Settings])[] = [
  ['model_store.enabled', 'enabled'],
  ['model_store.store_host', 'storeHost'],
  ['model_store.store_http_host', 'storeHttpHost'],
  ['model_store.store_port', 'storePort'],
  ['model_store.store_path', 'storePath'],
  ['model_store.cards_path', 'cardsPath'],
  ['model_store.api_port', 'apiPort'],
  ['model_store.browse_roots', 'browseRoots'],
  ['model_store.download.allow_hf_fallback', 'allowHubFallback'],
  ['model_store.download.max_concurrent', 'maxDownloads'],
  ['model_store.staging.enabled', 'stagingEnabled'],
  ['model_store.staging.node_cache_path', 'nodeCachePath'],
  ['model_store.staging.cleanup_on_deactivate', 'cleanupOnDeactivate'],
  ['model_store.staging.staging_keep_recent_gb', 'keepRecentBytes'],
  ['store_url', 'storeUrl'],
  ['model_store.auth.token', 'token'],
  ['hf_token', 'hubToken'],
];

/** Every effective setting as a row. For a secret, only whether it is set. */
export function describeConfig({ settings }: Config): readonly ConfigRow[] {
  return keys.map(([key, name]) => ({ key, value: shownValue(settings, key, name), origin: describeOrigin(settings[name].origin) }));
}

function shownValue(settings: Settings, key: string, name: keyof Settings): ConfigRow['value'] {
  if (name === 'keepRecentBytes') return gibOf(settings.keepRecentBytes.value);
  const { value } = settings[name];
  if (secretKeys.includes(key)) return value === undefined ? null : '(set, not shown)';
  return value ?? null;
}

function describeOrigin(origin: Origin): string {
  switch (origin.from) {
    case 'default':
      return 'default';
    case 'file':
      return `${placeOf(origin)}${origin.key}`;
    default:
      return `${origin.from} ${origin.name}`;
  }
}

/** The effective configuration in the file's own structure, without secrets, as in `GET /config`. */
export function effectiveConfig({ settings }: Config): Record<string, unknown> {
  return {
    model_store: {
      enabled: settings.enabled.value,
      store_host: settings.storeHost.value ?? null,
      store_http_host: settings.storeHttpHost.value ?? null,
      store_port: settings.storePort.value,
      store_path: settings.storePath.value,
      cards_path: settings.cardsPath.value ?? null,
      api_port: settings.apiPort.value,
      browse_roots: settings.browseRoots.value ?? null,
      download: { allow_hf_fallback: settings.allowHubFallback.value, max_concurrent: settings.maxDownloads.value },
      staging: {
        enabled: settings.stagingEnabled.value,
        node_cache_path: settings.nodeCachePath.value,
        cleanup_on_deactivate: settings.cleanupOnDeactivate.value,
        staging_keep_recent_gb: gibOf(settings.keepRecentBytes.value),
      },
    },
  };
}

/** The shortest number of GiB for a number of bytes, as a person may have written it. Pure. */
export function gibOf(bytes: number): number {
  const exact = bytes / 1024 ** 3;
  for (let digits = 1; digits < 17; digits += 1) {
    const short = Number(exact.toPrecision(digits));
    if (Math.floor(short * 1024 ** 3) === bytes) return short;
  }
  return exact;
}
