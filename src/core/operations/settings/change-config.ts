import { chmod, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConfigChange, changeConfigText, leavesOf } from '../../config/change-file.ts';
import { checkDirectory } from '../../config/check-paths.ts';
import { effectiveConfig } from '../../config/describe.ts';
import { overrideOf, resolveConfig } from '../../config/load.ts';
import { holdsSecret, type ReadConfig, readConfigFile } from '../../config/read-file.ts';
import { configSchema } from '../../config/schema.ts';
import type { Config, Setting } from '../../config/settings.ts';
import type { Deps } from '../../connect/deps.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import type { World } from '../../kernel/world.ts';
import type { ConfigView } from '../../protocol/settings.ts';
import { whyNotStagingDirectory } from '../../staging/staging-directory.ts';
import { whyNotStoreDirectory } from '../../store/disk/store-directory.ts';
import { lookAtUnit } from '../service/keep-unit.ts';

/** What became of a change. */
export interface ConfigChanged extends ConfigView {
  /** The keys that the file has anew. */
  readonly changed: readonly string[];
}

/** The server does not use these itself: whoever does reads the file. */
const readWhenUsed: ReadonlySet<string> = new Set([
  'model_store.staging.cleanup_on_deactivate',
  'model_store.staging.staging_keep_recent_gb',
]);

/** What the file may say, as JSON schema: for whoever checks a setting while it is typed. */
export const configurationSchema = (): object => configSchema;

/** The configuration as it is in the file now, for the server whose configuration is `deps.config`. */
export async function viewConfig(deps: Deps): Promise<ConfigView> {
  const path = pathOf(deps);
  try {
    const size = await sizeOf(path);
    // Parsing keeps the server from everything else, and anybody may ask for this.
    if (size > maxChangeableBytes) throw tooLarge('CONFLICT', path, size);
    const read = await readOrNothing(path);
    return await describe(deps, path, resolved(deps, path, read ?? nothing), { exists: read !== undefined, problem: null });
  } catch (error) {
    if (!(error instanceof SkulkError)) throw error;
    return describe(deps, path, deps.config, { exists: true, problem: error.message });
  }
}

/**
 * The same with the budget as the file has it now: whoever applies it reads it there. A file that is broken, or that says nothing any
 * more, changes nothing.
 */
export async function withBudgetNow(deps: Deps): Promise<Deps> {
  const path = pathOf(deps);
  const saved = await ((await sizeOf(path)) > maxChangeableBytes ? Promise.resolve(undefined) : readOrNothing(path))
    .then((read) => (read === undefined ? deps.config : resolved(deps, path, read)))
    .catch(() => deps.config);
  const { cleanupOnDeactivate, keepRecentBytes } = saved.settings;
  return { ...deps, config: { ...deps.config, settings: { ...deps.config.settings, cleanupOnDeactivate, keepRecentBytes } } };
}

const changing = new Map<string, Promise<unknown>>();

/**
 * Writes settings into the configuration file; what is not named stays, secrets and comments included.
 * @param change nested as in the file; null takes a key out
 * @param dryRun only check
 * @throws SkulkError BAD_REQUEST for settings that are not possible; CONFLICT when the file is broken; PERMISSION, NO_SPACE
 */
export async function changeConfig(
  deps: Deps,
  { change, dryRun }: { readonly change: ConfigChange; readonly dryRun: boolean },
): Promise<ConfigChanged> {
  const path = pathOf(deps);
  const turn = (changing.get(path) ?? Promise.resolve()).then(() => changeNow(deps, path, { change, dryRun }));
  const settled = turn.catch(() => undefined);
  changing.set(path, settled);
  return await turn;
}

async function changeNow(
  deps: Deps,
  path: string,
  { change, dryRun }: { readonly change: ConfigChange; readonly dryRun: boolean },
): Promise<ConfigChanged> {
  checkSizes(change);
  const size = await sizeOf(path);
  if (size > maxChangeableBytes) throw tooLarge('CONFLICT', path, size);
  const read = await readOrNothing(path).catch((error: unknown) => {
    if (!(error instanceof SkulkError)) throw error;
    throw new SkulkError('CONFLICT', error.message, { hint: `mend the file first: ${error.hint ?? path}`, cause: error });
  });
  const text = read === undefined ? emptyFile : await readFile(path, 'utf8');
  const before = resolved(deps, path, read ?? nothing);
  const news = leavesOf(change).flatMap(([keys, value]) => {
    const isAsBefore = JSON.stringify(valueAt(effectiveConfig(before), keys)) === JSON.stringify(value);
    return isAsBefore ? [] : [[placeFor(deps, read, keys), value] as const];
  });
  const {
    text: changed,
    after,
    hasSecret,
  } = refusing(() => {
    const result = changeConfigText(text, path, news);
    return { text: result.text, after: resolved(deps, path, result.read), hasSecret: holdsSecret(result.read.content) };
  });
  const bytes = Buffer.byteLength(changed);
  if (bytes > maxChangeableBytes) throw tooLarge('BAD_REQUEST', path, bytes);
  await checkNewPaths(deps.world, before, after);
  if (!dryRun && news.length > 0 && changed !== text) await write(path, changed, { isNew: read === undefined, hasSecret });
  const view = await describe(deps, path, after, { exists: read !== undefined || (!dryRun && news.length > 0), problem: null });
  return { changed: news.map(([keys]) => keys.join('.')), ...view };
}

/**
 * A larger file is not changed here, and none is made: whoever reads it would stand still for the time that it takes, and `serve` reads
 * a file up to its own bound only. Those that people write have a few KiB.
 */
const maxChangeableBytes = 64 * 1024;
const maxLeaves = 200;
/** No path and no secret is longer, and no list of them. */
const maxValueLength = 4096;
const maxListLength = 16 * 1024;

function checkSizes(change: ConfigChange): void {
  const leaves = leavesOf(change);
  if (leaves.length > maxLeaves)
    throw new SkulkError('BAD_REQUEST', `${leaves.length} settings are changed at once; ${maxLeaves} are possible`, {
      hint: 'send them in several requests',
    });
  for (const [keys, value] of leaves) {
    const isTooLong = typeof value === 'string' ? value.length > maxValueLength : JSON.stringify(value ?? null).length > maxListLength;
    if (isTooLong || keys.some((key) => key.length > maxValueLength))
      throw new SkulkError('BAD_REQUEST', `the value of ${keys.join('.').slice(0, 80)} is longer than a setting can be`, {
        hint: 'GET /config/schema says what a setting takes',
      });
  }
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (info) => info.size,
    () => 0,
  );

const tooLarge = (code: 'CONFLICT' | 'BAD_REQUEST', path: string, bytes: number): SkulkError =>
  new SkulkError(
    code,
    `${path} ${code === 'CONFLICT' ? 'has' : 'would have'} ${bytes} bytes; a file of ${maxChangeableBytes} at most can be changed here`,
    { hint: 'edit the file by hand; `skulk config validate` checks it' },
  );

const emptyFile = '# Configuration of skulk; `man 5 skulk-config` describes every key.\n';
const nothing: ReadConfig = { content: {}, lineOf: () => undefined, notes: [] };

function pathOf({ config, world }: Deps): string {
  return config.file ?? join(world.env['XDG_CONFIG_HOME'] || join(world.homeDirectory, '.config'), 'skulk', 'skulk.yaml');
}

/** A file that is as it was is not parsed again, as everybody may ask what is in force. */
const parsed = new Map<string, { readonly stamp: string; readonly read: Promise<ReadConfig> }>();
/** Two changes within the grain of a file system's clock look alike, so what was just written is parsed each time. */
const settledMs = 2_000;

async function readOrNothing(path: string): Promise<ReadConfig | undefined> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  const stamp = `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs} ${found.mode}`;
  const known = parsed.get(path);
  if (known?.stamp === stamp) return known.read;
  const read = readConfigFile(path);
  read.catch(() => undefined);
  if (Date.now() - Number(found.ctimeMs) > settledMs) parsed.set(path, { stamp, read });
  else parsed.delete(path);
  return read;
}

const resolved = ({ world, config }: Deps, file: string, { content, lineOf }: ReadConfig): Config =>
  resolveConfig(world, {
    content,
    lineOf,
    file,
    flags: {},
    nodeId: config.nodeId,
    skulkHome: config.skulkHome,
    aliases: config.aliases,
    tokenHosts: config.tokenHosts,
    fileMayDirectToken: config.fileMayDirectToken,
  });

/** Where this machine's value of a key stands: a staging setting may be overridden for this machine. */
function placeFor({ world, config }: Deps, read: ReadConfig | undefined, keys: readonly string[]): readonly string[] {
  const [section, part, key] = keys;
  if (section !== 'model_store' || part !== 'staging' || key === undefined) return keys;
  const override = overrideOf(read?.content.model_store ?? {}, {
    hostname: world.hostname,
    nodeId: config.nodeId,
    aliases: config.aliases,
  });
  if (override === undefined || !Object.hasOwn(override.staging, key)) return keys;
  return ['model_store', 'node_overrides', override.name, 'staging', key];
}

/** What the file would be refused for is the client's mistake here. */
function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SkulkError)) throw error;
    throw new SkulkError('BAD_REQUEST', error.message, { hint: error.hint, cause: error });
  }
}

async function checkNewPaths({ homeDirectory }: World, before: Config, after: Config): Promise<void> {
  const { storePath, nodeCachePath } = after.settings;
  const places = { homeDirectory, skulkHome: after.skulkHome };
  const refuse = (name: string, path: string, why: string | undefined): void => {
    if (why === undefined) return;
    throw new SkulkError('BAD_REQUEST', `${name} ${path} ${why}`, { hint: 'name an empty directory of its own' });
  };
  try {
    if (storePath.value !== before.settings.storePath.value) {
      if (after.isStoreHost) await checkDirectory(storePath.value, 'store_path', { mayBeMissing: false });
      refuse('store_path', storePath.value, await whyNotStoreDirectory(storePath.value, places));
    }
    if (nodeCachePath.value !== before.settings.nodeCachePath.value) {
      await checkDirectory(nodeCachePath.value, 'node_cache_path', { mayBeMissing: true });
      refuse('node_cache_path', nodeCachePath.value, await whyNotStagingDirectory(nodeCachePath.value, places));
    }
  } catch (error) {
    refusing(() => {
      throw error;
    });
  }
}

/** A link stays one, and so do mode and content of a file that cannot be written. */
async function write(
  path: string,
  text: string,
  { isNew, hasSecret }: { readonly isNew: boolean; readonly hasSecret: boolean },
): Promise<void> {
  await explainingDiskErrors(`cannot write ${path}`, async () => {
    const target = isNew ? path : await realpath(path);
    const before = isNew ? 0o600 : (await stat(target)).mode & 0o7777;
    // Only its owner reads a file with a secret in it. Of a link it is the file that it leads to.
    const mode = hasSecret ? before & 0o700 : before;
    await writeFileDurably(target, text, { mode });
    await chmod(target, mode);
  });
}

const flat = (config: Config): ReadonlyMap<string, string> =>
  new Map(leavesOf(effectiveConfig(config)).map(([keys, value]) => [keys.join('.'), JSON.stringify(value)]));

async function describe(
  deps: Deps,
  path: string,
  saved: Config,
  { exists, problem }: { readonly exists: boolean; readonly problem: string | null },
): Promise<ConfigView> {
  const { config: running } = deps;
  const unit = await lookAtUnit(deps, saved);
  const overridden = Object.fromEntries(overridesOf(running));
  const [now, then] = [flat(saved), flat(running)];
  const differing = [...now.keys()].filter((key) => now.get(key) !== then.get(key) && overridden[key] === undefined);
  // A host that is called by its name, or by another name of its own, serves as before.
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

/** What a flag or the environment says is in force, whatever the file says. */
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

function valueAt(tree: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined),
    tree,
  );
}
