import type { Config } from '../../config/settings.ts';
import type { Deps } from '../../connect/deps.ts';
import { describeFailure, explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { describeUnit, readUnit, signature } from './describe-unit.ts';
import { isUnitOf, isWritableIn, missingIn, namesPaths, withPaths } from './unit-file.ts';

/** The result for a unit whose paths may belong to another configuration. */
export interface UnitKept {
  readonly path: string;
  /** The directories that the unit did not make writable. */
  readonly missing: readonly string[];
  readonly changed: boolean;
}

/**
 * Updates the paths in this user's systemd unit to match the configuration. Skips a unit that skulk did not make, that starts the server
 * with another configuration, or that has no sandbox; then returns undefined.
 * @throws SkulkError PERMISSION, NO_SPACE if the unit cannot be written
 */
export async function keepUnit(deps: Deps): Promise<UnitKept | undefined> {
  const found = await findUnit(deps);
  if (found === undefined) return undefined;
  const { path, unit, before, missing } = found;
  const content = withPaths(before, unit);
  if (content !== before) await explainingDiskErrors(`cannot write ${path}`, () => writeFileDurably(path, content));
  return { path, missing, changed: content !== before };
}

/** This user's systemd unit, if it starts the server with this configuration and lists the paths. */
async function findUnit(deps: Deps) {
  const { path, unit } = await describeUnit(deps, { manager: 'systemd', role: 'auto' });
  const before = await readUnit(path);
  if (before === undefined || !before.includes(signature) || !namesPaths(before)) return undefined;
  if (!isUnitOf(before, { file: deps.config.file, environment: unit.environment })) return undefined;
  return { path, unit, before, missing: missingIn(before, unit.writable) };
}

/**
 * The systemd unit of this server, and the directories of another configuration that it does not make writable.
 * @param saved the configuration after the next start
 * @returns undefined for a server without a unit, and for an unreadable unit
 */
export async function inspectUnit(deps: Deps, saved: Config): Promise<Omit<UnitKept, 'changed'> | undefined> {
  if (!runsAsUnitSays(deps)) return undefined;
  // The next server finds a new configuration file even though the unit does not name it.
  const next = { ...deps, config: { ...saved, file: deps.config.file } };
  const found = await findUnit(next).catch(() => undefined);
  if (found === undefined) return undefined;
  return { path: found.path, missing: found.missing.filter((path) => !isWritableIn(found.before, path)) };
}

/** Every program below a service inherits the variable, and a flag may change the directories of this server. */
function runsAsUnitSays({ world, config }: Deps): boolean {
  const { storePath, nodeCachePath } = config.settings;
  return Boolean(world.env['INVOCATION_ID']) && ![storePath, nodeCachePath].some(({ origin }) => origin.from === 'flag');
}

/** Warns, for a server that systemd started, if its unit does not make all required directories writable. */
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
      message: describeFailure('the unit of this service does not allow the configured paths', error),
      hint: 'run `skulk service install` again: it updates the unit and restarts the service',
    });
  }
}
