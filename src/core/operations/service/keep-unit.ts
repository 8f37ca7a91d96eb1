import type { Config } from '../../config/settings.ts';
import type { Deps } from '../../connect/deps.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { describeUnit, readUnit, signature } from './describe-unit.ts';
import { isUnitOf, isWritableIn, missingIn, namesPaths, withPaths } from './unit-file.ts';

/** What became of a unit whose paths may be those of another configuration. */
export interface UnitKept {
  readonly path: string;
  /** The directories that it did not let the server write to. */
  readonly missing: readonly string[];
  readonly changed: boolean;
}

/**
 * Brings the paths of this user's unit of systemd up to date with the configuration. A unit that somebody else made, that starts the
 * server with another configuration or that has no sandbox is left alone; then the answer is undefined.
 * @throws SkulkError PERMISSION, NO_SPACE when the unit cannot be written
 */
export async function keepUnit(deps: Deps): Promise<UnitKept | undefined> {
  const found = await findUnit(deps);
  if (found === undefined) return undefined;
  const { path, unit, before, missing } = found;
  const content = withPaths(before, unit);
  if (content !== before) await explainingDiskErrors(`cannot write ${path}`, () => writeFileDurably(path, content));
  return { path, missing, changed: content !== before };
}

/** This user's unit of systemd, when it starts the server with this configuration and names the paths. */
async function findUnit(deps: Deps) {
  const { path, unit } = await describeUnit(deps, { manager: 'systemd', role: 'auto' });
  const before = await readUnit(path);
  if (before === undefined || !before.includes(signature) || !namesPaths(before)) return undefined;
  if (!isUnitOf(before, { file: deps.config.file, environment: unit.environment })) return undefined;
  return { path, unit, before, missing: missingIn(before, unit.writable) };
}

/**
 * The unit of systemd that this server runs under, and the directories of another configuration that it does not let it write to.
 * @param saved what the server has after its next start
 * @returns undefined for a server that runs otherwise, and for a unit that cannot be read
 */
export async function lookAtUnit(deps: Deps, saved: Config): Promise<Omit<UnitKept, 'changed'> | undefined> {
  if (!runsAsUnitSays(deps)) return undefined;
  // A file that the running server did not have is found by the next one without being named in the unit.
  const next = { ...deps, config: { ...saved, file: deps.config.file } };
  const found = await findUnit(next).catch(() => undefined);
  if (found === undefined) return undefined;
  return { path: found.path, missing: found.missing.filter((path) => !isWritableIn(found.before, path)) };
}

/** Every program below a service has the variable, and a flag says where this one server is to work. */
function runsAsUnitSays({ world, config }: Deps): boolean {
  const { storePath, nodeCachePath } = config.settings;
  return Boolean(world.env['INVOCATION_ID']) && ![storePath, nodeCachePath].some(({ origin }) => origin.from === 'flag');
}

/** What a server that systemd started says when its unit does not let it write where it has to; nothing for any other server. */
export async function warnOfUnit(deps: Deps): Promise<void> {
  const { world } = deps;
  if (!runsAsUnitSays(deps)) return;
  const restart = '`systemctl --user daemon-reload && systemctl --user restart skulk.service`';
  try {
    const kept = await keepUnit(deps);
    if (kept === undefined || kept.missing.length === 0) return;
    world.emit({
      type: 'warning',
      message: `the unit ${kept.path} did not allow skulk to write to ${kept.missing.join(', ')}; it was updated`,
      hint: `run ${restart}`,
    });
  } catch (error) {
    world.emit({
      type: 'warning',
      message: `the unit of this service does not allow the configured paths: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'run `skulk service install` again: it updates the unit and restarts the service',
    });
  }
}
