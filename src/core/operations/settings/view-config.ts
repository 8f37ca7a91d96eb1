import { leavesOf, valueAt } from '../../config/change-file.ts';
import { effectiveConfig } from '../../config/describe.ts';
import { configSchema } from '../../config/schema.ts';
import type { Config, Setting } from '../../config/settings.ts';
import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ConfigView } from '../../protocol/settings.ts';
import { inspectUnit } from '../service/keep-unit.ts';
import { maxChangeableBytes, noContent, readSaved, resolveSaved, savedConfigPath, sizeOfSaved, tooLarge } from './saved-config.ts';

/** The JSON schema of the file, to validate a setting while the user types it. */
export const configurationSchema = (): object => configSchema;

/** The current configuration in the file, for the server whose configuration is `deps.config`. */
export async function viewConfig(deps: Deps): Promise<ConfigView> {
  const path = savedConfigPath(deps);
  try {
    const size = await sizeOfSaved(path);
    // Parsing blocks the server, and anyone may request this.
    if (size > maxChangeableBytes) throw tooLarge('CONFLICT', path, size);
    const read = await readSaved(path);
    return await describeSaved(deps, path, resolveSaved(deps, path, read ?? noContent), { exists: read !== undefined, problem: null });
  } catch (error) {
    if (!(error instanceof SkulkError)) throw error;
    return describeSaved(deps, path, deps.config, { exists: true, problem: error.message });
  }
}

/**
 * Describes a configuration file and compares it with the running server.
 * @param path its path, also if it does not exist
 * @param saved its content
 * @param exists whether it exists
 * @param problem the error in it
 */
export async function describeSaved(
  deps: Deps,
  path: string,
  saved: Config,
  { exists, problem }: { readonly exists: boolean; readonly problem: string | null },
): Promise<ConfigView> {
  const { config: running } = deps;
  const unit = await inspectUnit(deps, saved);
  const overridden = Object.fromEntries(overridesOf(running));
  const [now, then] = [flat(saved), flat(running)];
  const differing = [...now.keys()].filter((key) => now.get(key) !== then.get(key) && overridden[key] === undefined);
  // A host under its name, or under another one of its own names, serves as before.
  const staysHost = running.isStoreHost && saved.isStoreHost;
  const { token, hubToken } = saved.settings;
  const isSecretNew = (setting: Setting<unknown>, before: Setting<unknown>) => setting.value !== before.value;
  const restart_because = [
    ...differing.filter((key) => !readWhenUsed.has(key) && !(staysHost && key === 'model_store.store_host')),
    ...(isSecretNew(token, running.settings.token) && overridden['model_store.auth.token'] === undefined ? ['model_store.auth.token'] : []),
    ...(isSecretNew(hubToken, running.settings.hubToken) && overridden['hf_token'] === undefined ? ['hf_token'] : []),
  ];
  return {
    path: exists ? path : null,
    save_path: path,
    config: withOverridden(effectiveConfig(saved), effectiveConfig(running), Object.keys(overridden)),
    secrets: { 'model_store.auth.token': token.value !== undefined, hf_token: hubToken.value !== undefined },
    overridden,
    restart_required: restart_because.length > 0,
    restart_because,
    service: unit === undefined ? null : { unit: unit.path, not_writable: unit.missing },
    problem,
  };
}

/** Settings that the server itself does not use: their users read the file. */
const readWhenUsed: ReadonlySet<string> = new Set([
  'model_store.staging.cleanup_on_deactivate',
  'model_store.staging.staging_keep_recent_gb',
]);

const flat = (config: Config): ReadonlyMap<string, string> =>
  new Map(leavesOf(effectiveConfig(config)).map(([keys, value]) => [keys.join('.'), JSON.stringify(value)]));

const settingsByKey: readonly (readonly [key: string, setting: keyof Config['settings']])[] = [
  ['model_store.store_http_host', 'storeHttpHost'],
  ['model_store.store_port', 'storePort'],
  ['model_store.store_path', 'storePath'],
  ['model_store.api_port', 'apiPort'],
  ['model_store.download.allow_hf_fallback', 'allowHubFallback'],
  ['model_store.auth.token', 'token'],
  ['hf_token', 'hubToken'],
];

function overridesOf({ settings }: Config): readonly (readonly [string, string])[] {
  return settingsByKey.flatMap(([key, name]) => {
    const { origin } = settings[name];
    return origin.from === 'flag' || origin.from === 'environment' ? [[key, `${origin.from} ${origin.name}`] as const] : [];
  });
}

/** A flag or an environment variable overrides the file. */
function withOverridden(
  saved: Record<string, unknown>,
  running: Record<string, unknown>,
  keys: readonly string[],
): Record<string, unknown> {
  const result = structuredClone(saved);
  for (const key of keys) {
    const path = key.split('.');
    const value = valueAt(running, path);
    const last = path.at(-1) ?? '';
    const parent = valueAt(result, path.slice(0, -1));
    if (value !== undefined && typeof parent === 'object' && parent !== null) (parent as Record<string, unknown>)[last] = value;
  }
  return result;
}
