import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ReadConfig, readConfigFile } from '../../config/read-file.ts';
import { resolveConfig } from '../../config/resolve/resolve-config.ts';
import type { Config } from '../../config/settings.ts';
import type { Deps } from '../../connect/deps.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';

/**
 * The API does not change or create a larger file: parsing it would block the server for too long, and `serve` accepts files only up to
 * its own limit. Files written by people have a few KiB.
 */
export const maxChangeableBytes = 64 * 1024;

/** The error for a configuration file that is or would become too large for the API. */
export const tooLarge = (code: 'CONFLICT' | 'BAD_REQUEST', path: string, bytes: number): SkulkError =>
  new SkulkError(
    code,
    `${path} ${code === 'CONFLICT' ? 'has' : 'would have'} ${bytes} bytes; only files of at most ${maxChangeableBytes} can be changed here`,
    { hint: 'edit the file by hand; `skulk config validate` checks it' },
  );

/** An empty file. */
export const noContent: ReadConfig = { content: {}, lineOf: () => undefined, notes: [] };

/** The configuration file of this process, or its path if it does not exist. */
export function savedConfigPath({ config, world }: Deps): string {
  return config.file ?? join(world.env['XDG_CONFIG_HOME'] || join(world.homeDirectory, '.config'), 'skulk', 'skulk.yaml');
}

/** In bytes; 0 if there is no file. */
export const sizeOfSaved = (path: string): Promise<number> =>
  stat(path).then(
    (info) => info.size,
    () => 0,
  );

/** An unchanged file is not parsed again, because every user may request the effective configuration. */
const parsed = new Map<string, { readonly stamp: string; readonly read: Promise<ReadConfig> }>();
/** Two changes within the clock resolution of a file system look equal, so a file that was just written is parsed each time. */
const settledMs = 2_000;

/**
 * Reads the configuration file in its current state; undefined if there is none.
 * @throws SkulkError CONFIG if it is broken
 */
export async function readSaved(path: string): Promise<ReadConfig | undefined> {
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

/** The settings of a file as this machine would use them. */
export const resolveSaved = ({ world, config }: Deps, file: string, { content, lineOf }: ReadConfig): Config =>
  resolveConfig(world, {
    content,
    lineOf,
    file,
    flags: {},
    nodeId: config.nodeId,
    skulkHome: config.skulkHome,
    aliases: config.aliases,
    tokenHosts: config.tokenHosts,
    swarm: config.swarm,
    secondStores: config.secondStores,
    fileMayDirectToken: config.fileMayDirectToken,
  });

/**
 * The same dependencies with the current budget of staged copies from the file. A file that is broken or no longer has a budget changes
 * nothing.
 */
export async function withBudgetNow(deps: Deps): Promise<Deps> {
  const path = savedConfigPath(deps);
  const saved = await ((await sizeOfSaved(path)) > maxChangeableBytes ? Promise.resolve(undefined) : readSaved(path))
    .then((read) => (read === undefined ? deps.config : resolveSaved(deps, path, read)))
    .catch(() => deps.config);
  const { cleanupOnDeactivate, keepRecentBytes } = saved.settings;
  return { ...deps, config: { ...deps.config, settings: { ...deps.config.settings, cleanupOnDeactivate, keepRecentBytes } } };
}
