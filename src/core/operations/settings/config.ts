import { link, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { checkDirectory, checkPaths } from '../../config/check-paths.ts';
import { type ConfigRow, describeConfig } from '../../config/describe.ts';
import { findConfigFile, findUsersFile, type SkippedFile, searchedDirectories } from '../../config/find-file.ts';
import { loadConfig, warningOf } from '../../config/load.ts';
import { parseConfig, readConfigFile } from '../../config/read-file.ts';
import { expandPath } from '../../config/resolve/expand-path.ts';
import { findAliases } from '../../config/resolve/find-aliases.ts';
import { resolveConfig } from '../../config/resolve/resolve-config.ts';
import type { Config, SettingFlags } from '../../config/settings.ts';
import { refusedByPython } from '../../config/shared-keys.ts';
import { skulkHomeOf } from '../../config/skulk-home.ts';
import { configTemplate, type TemplateAnswers } from '../../config/template.ts';
import type { Deps } from '../../connect/deps.ts';
import { checkStoreDirectory } from '../../connect/served-stores.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { readNodeId } from '../../kernel/machine/node-id.ts';
import type { World } from '../../kernel/world.ts';
import { storeLayout } from '../../store/layout.ts';

/** Every effective setting and its source, without secrets. */
export function showConfig({ config }: Pick<Deps, 'config'>): {
  readonly file: string | null;
  readonly is_store_host: boolean;
  readonly settings: readonly ConfigRow[];
} {
  return { file: config.file ?? null, is_store_host: config.isStoreHost, settings: describeConfig(config) };
}

/** The file in use, what selected it, and the searched paths. The file may be unreadable or broken. */
export async function configPath(
  world: World,
  flags: SettingFlags,
): Promise<{
  readonly path: string | null;
  readonly because: string | null;
  readonly searched: readonly string[];
  /** Ignored files of other programs. */
  readonly skipped: readonly SkippedFile[];
}> {
  const { found, skipped } = await findConfigFile(world, flags.config);
  for (const one of skipped) world.emit(warningOf(one));
  return { path: found?.path ?? null, because: found?.because ?? null, searched: searchedDirectories(world), skipped };
}

/**
 * Validates the file, each override in it as the named machine would see it, and this machine's directories.
 * @throws SkulkError CONFIG with file, line, key and hint
 */
export async function validateConfig(
  world: World,
  flags: SettingFlags,
): Promise<{
  readonly valid: true;
  readonly file: string | null;
  readonly checked: readonly string[];
  /** Useful information that is not an error. */
  readonly notes: readonly string[];
}> {
  const config = await loadConfig(world, flags);
  const checked = ['the settings in effect on this machine'];
  const notes: string[] = [];
  if (config.file !== undefined) {
    const { content, lineOf, notes: unused } = await readConfigFile(config.file);
    if (Object.keys(content).length === 0) notes.push('the file has no settings, so the defaults apply');
    notes.push(...unused, ...notesOfPython(config.file, content, lineOf));
    for (const name of Object.keys(content.model_store?.node_overrides ?? {})) {
      resolveConfig({ ...world, hostname: name }, { content, lineOf, file: config.file, flags, nodeId: name, skulkHome: config.skulkHome });
      checked.push(`node_overrides.${name}`);
    }
  }
  await checkPaths(config, (options) => checkStoreDirectory({ config }, options));
  checked.push('the directories that this machine uses');
  return { valid: true, file: config.file ?? null, checked, notes };
}

/** The Python program rejects a file with an unknown key. */
function notesOfPython(file: string, content: object, lineOf: (key: string) => number | undefined): readonly string[] {
  return refusedByPython
    .filter(
      (key) => key.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], content) !== undefined,
    )
    .map((key) => `${file}:${lineOf(key) ?? 1}: the Python program rejects ${key}; remove it from a file that both programs read`);
}

/** The content of a new file. */
export interface InitAnswers extends Omit<TemplateAnswers, 'storeHost'> {
  /** Undefined means this machine. */
  readonly storeHost: string | undefined;
}

/** The input of `config init`. */
export interface InitRequest extends InitAnswers {
  readonly flags: SettingFlags;
  readonly force: boolean;
  /** Only return the content, do not write it. */
  readonly print: boolean;
}

/** The file that `config init` writes. */
export const configFileOf = (world: World, { config }: SettingFlags): string =>
  config === undefined ? join(world.cwd, 'skulk.yaml') : resolve(world.cwd, expandPath(config, world));

/**
 * The content of a file with these answers.
 * @throws SkulkError CONFIG for impossible answers
 */
export function previewConfig(world: World, path: string, { storeHost, storePath, nodeCachePath, ...answers }: InitAnswers): string {
  const given = storePath === undefined ? undefined : expandPath(storePath, world);
  const content = configTemplate({
    ...answers,
    storeHost: storeHost ?? world.hostname,
    // Otherwise a machine with another SKULK_HOME would put its copies into the directory of this one.
    nodeCachePath: nodeCachePath !== undefined && isDefaultPlace(world, nodeCachePath) ? undefined : nodeCachePath,
    storePath: given === undefined ? undefined : resolve(world.cwd, given),
  });
  // A file that was just written must load.
  resolveConfig(world, { ...parseConfig(content, path), file: path, flags: {}, nodeId: undefined, skulkHome: skulkHomeOf(world) });
  return content;
}

const isDefaultPlace = (world: World, nodeCachePath: string): boolean =>
  resolve(world.cwd, expandPath(nodeCachePath, world)) === join(skulkHomeOf(world), 'staging');

/** The result of `config init`. */
export interface InitResult {
  readonly path: string;
  readonly written: boolean;
  readonly content: string;
  /** Whether the file makes this machine the store host. */
  readonly isStoreHost?: boolean;
  /** Whether commands in this directory read the file by themselves. */
  readonly isFound?: boolean;
}

/**
 * Writes a commented configuration file atomically.
 * @throws SkulkError CONFLICT if the file exists, CONFIG for impossible answers
 */
export async function initConfig(world: World, { flags, force, print, ...answers }: InitRequest): Promise<InitResult> {
  const path = configFileOf(world, flags);
  const content = explainingAnswers(() => previewConfig(world, path, answers));
  if (!print) await explainingDiskErrors(`cannot write ${path}`, () => (force ? writeFileDurably(path, content) : writeNew(path, content)));
  if (print) return { path, written: false, content };
  return { path, written: true, content, ...(await placeOfNext(world, path)) };
}

/** What the next command on this machine needs to know about a new file. */
async function placeOfNext(world: World, path: string): Promise<Pick<InitResult, 'isStoreHost' | 'isFound'>> {
  const [{ content, lineOf }, { found }] = await Promise.all([readConfigFile(path), findConfigFile(world, undefined)]);
  const skulkHome = skulkHomeOf(world);
  const nodeId = await readNodeId(skulkHome, world.env['SKULK_NODE_ID']);
  const aliases = await findAliases(content.model_store?.store_host, { hostname: world.hostname, nodeId });
  const config = resolveConfig(world, { content, lineOf, file: path, flags: {}, nodeId, skulkHome, aliases });
  await warnOfDirectories(world, config);
  const { isStoreHost } = config;
  const isFound = found?.path === path;
  if (isFound) await warnOfHidden(world, path);
  if (isStoreHost) await warnOfOtherStore(world, config);
  return { isStoreHost, isFound };
}

/** A file in the working directory replaces the file of the user there, all of it. */
async function warnOfHidden(world: World, path: string): Promise<void> {
  const hidden = await findUsersFile(world);
  if (hidden === undefined || hidden === path) return;
  world.emit({
    type: 'warning',
    message: `in ${dirname(path)} and below, ${path} now replaces ${hidden}`,
    hint: `to keep using ${hidden}, remove ${path}`,
  });
}

/** Models that were added before the directory of the store was chosen are in the default one. */
async function warnOfOtherStore(world: World, { settings, skulkHome }: Config): Promise<void> {
  const usual = join(skulkHome, 'store');
  if (resolve(settings.storePath.value) === usual || !(await hasModels(usual))) return;
  world.emit({
    type: 'warning',
    message: `the models in ${usual} are not in the store at ${settings.storePath.value}`,
    hint: `set store_path to ${usual} to keep that store, or move its files while no server runs: docs/store-host.md, "Move the store"`,
  });
}

async function hasModels(storePath: string): Promise<boolean> {
  const { readRegistry } = await import('../../store/records/registry.ts');
  const registry = await readRegistry(storeLayout(storePath)).catch(() => undefined);
  return registry !== undefined && 'entries' in registry && registry.entries.size > 0;
}

/** The file is valid, but `config validate` and `serve` would refuse its directories. */
async function warnOfDirectories(world: World, config: Config): Promise<void> {
  try {
    await checkPaths(config, ({ name, mayBeMissing }) => checkDirectory(config.settings.storePath.value, name, { mayBeMissing }));
  } catch (error) {
    if (!(error instanceof SkulkError)) throw error;
    const { message, hint } = error;
    world.emit({ type: 'warning', message, ...(hint !== undefined && { hint }) });
  }
}

/** The file named in the error does not exist yet. */
function explainingAnswers<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SkulkError)) throw error;
    throw new SkulkError(error.code, `nothing was written, because the result would be invalid: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}

/** A hard link never replaces a file that was created in the meantime. */
async function writeNew(path: string, content: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  try {
    await writeFileDurably(draft, content);
    await link(draft, path);
  } catch (error) {
    if (isSystemError(error, 'EEXIST'))
      throw new SkulkError('CONFLICT', `${path} already exists`, {
        hint: 'use another file with --config, or overwrite it with --force',
        cause: error,
      });
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
