import type { ConfigView } from '../../../src/core/protocol/settings.ts';

/** A value of a setting. */
export type SettingValue = string | number | boolean | null;

/** The settings that the page shows, by their keys from the top with dots between. */
export type SettingKey =
  | 'model_store.store_host'
  | 'model_store.store_path'
  | 'model_store.store_port'
  | 'model_store.api_port'
  | 'model_store.download.allow_hf_fallback'
  | 'model_store.download.max_concurrent'
  | 'model_store.staging.enabled'
  | 'model_store.staging.node_cache_path'
  | 'model_store.staging.cleanup_on_deactivate'
  | 'model_store.staging.staging_keep_recent_gb';

/** The current state of a setting. */
export function settingOf({ config }: ConfigView, key: SettingKey): SettingValue {
  const found = key
    .split('.')
    .reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined), config);
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? found : null;
}

/** Values by key as a tree, in the format of `PUT /config`. Pure. */
export function nest(values: ReadonlyMap<SettingKey, SettingValue>): object {
  const tree: Record<string, unknown> = {};
  for (const [key, value] of values) {
    const names = key.split('.');
    const last = names.pop() ?? '';
    let at = tree;
    for (const name of names) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[last] = value;
  }
  return tree;
}

/** Whether a name of the configuration is this machine: its hostname, with or without `.local`, or its node id. Pure. */
export function isThisMachine(
  name: string,
  { hostname, node_id }: { readonly hostname: string; readonly node_id: string | null },
): boolean {
  const plain = (text: string): string =>
    text
      .toLowerCase()
      .replace(/\.$/, '')
      .replace(/\.local$/, '');
  return name === node_id || plain(name) === plain(hostname) || plain(name) === 'localhost';
}
