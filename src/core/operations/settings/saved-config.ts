import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveConfig } from '../../config/load.ts';
import { type ReadConfig, readConfigFile } from '../../config/read-file.ts';
import type { Config } from '../../config/settings.ts';
import type { Deps } from '../../connect/deps.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';

/**
 * A larger file is not changed by the API, and none is made: whoever reads it would stand still for the time that it takes, and
 * `serve` reads a file up to its own bound only. Those that people write have a few KiB.
 */
export const maxChangeableBytes = 64 * 1024;

/** The error for a configuration file that is, or would be, too large to be changed by the API. */
export const tooLarge = (code: 'CONFLICT' | 'BAD_REQUEST', path: string, bytes: number): SkulkError =>
  new SkulkError(
    code,
    `${path} ${code === 'CONFLICT' ? 'has' : 'would have'} ${bytes} bytes; only files of at most ${maxChangeableBytes} can be changed here`,
    { hint: 'edit the file by hand; `skulk config validate` checks it' },
  );

/** A file that says nothing. */
export const noContent: ReadConfig = { content: {}, lineOf: () => undefined, notes: [] };

/** The configuration file of this process; where it would be when there is none. */
export function savedConfigPath({ config, world }: Deps): string {
  return config.file ?? join(world.env['XDG_CONFIG_HOME'] || join(world.homeDirectory, '.config'), 'skulk', 'skulk.yaml');
}

/** In bytes; 0 when there is no file. */
export const sizeOfSaved = (path: string): Promise<number> =>
  stat(path).then(
    (info) => info.size,
    () => 0,
  );

/** A file that is as it was is not parsed again, as everybody may ask what is in force. */
const parsed = new Map<string, { readonly stamp: string; readonly read: Promise<ReadConfig> }>();
/** Two changes within the grain of a file system's clock look alike, so what was just written is parsed each time. */
const settledMs = 2_000;

/**
 * Reads the configuration file as it is now; undefined when there is none.
 * @throws SkulkError CONFIG when it is broken
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
    fileMayDirectToken: config.fileMayDirectToken,
  });

/**
 * The same dependencies with the budget of staged copies as the file has it now: whoever applies it reads it there. A file that is
 * broken, or that says nothing any more, changes nothing.
 */
export async function withBudgetNow(deps: Deps): Promise<Deps> {
  const path = savedConfigPath(deps);
  const saved = await ((await sizeOfSaved(path)) > maxChangeableBytes ? Promise.resolve(undefined) : readSaved(path))
    .then((read) => (read === undefined ? deps.config : resolveSaved(deps, path, read)))
    .catch(() => deps.config);
  const { cleanupOnDeactivate, keepRecentBytes } = saved.settings;
  return { ...deps, config: { ...deps.config, settings: { ...deps.config.settings, cleanupOnDeactivate, keepRecentBytes } } };
}
