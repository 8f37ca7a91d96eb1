import { writeFileDurably } from '../../kernel/durable-file.ts';
import { explainingDiskErrors } from '../../kernel/explain-system-error.ts';
import type { Deps } from '../deps.ts';
import { describeUnit, readUnit, signature } from './describe-unit.ts';
import { isUnitOf, missingIn, namesPaths, withPaths } from './unit-file.ts';

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
  const { path, unit } = await describeUnit(deps, { manager: 'systemd', role: 'auto' });
  const before = await readUnit(path);
  if (before === undefined || !before.includes(signature) || !namesPaths(before)) return undefined;
  if (!isUnitOf(before, { file: deps.config.file, environment: unit.environment })) return undefined;
  const missing = missingIn(before, unit.writable);
  const content = withPaths(before, unit);
  if (content !== before) await explainingDiskErrors(`cannot write ${path}`, () => writeFileDurably(path, content));
  return { path, missing, changed: content !== before };
}

/** What a server that systemd started says when its unit does not let it write where it has to; nothing for any other server. */
export async function warnOfUnit(deps: Deps): Promise<void> {
  const { world, config } = deps;
  const { storePath, nodeCachePath } = config.settings;
  // Every program below a service has the variable, and a flag says where this one server is to work.
  if (!world.env['INVOCATION_ID'] || [storePath, nodeCachePath].some(({ origin }) => origin.from === 'flag')) return;
  const restart = '`systemctl --user daemon-reload && systemctl --user restart skulk.service`';
  try {
    const kept = await keepUnit(deps);
    if (kept === undefined || kept.missing.length === 0) return;
    world.emit({
      type: 'warning',
      message: `the unit ${kept.path} did not let skulk write to ${kept.missing.join(', ')}; it was rewritten`,
      hint: `run ${restart}`,
    });
  } catch (error) {
    world.emit({
      type: 'warning',
      message: `the paths of this service's unit are not those of the configuration: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'run `skulk service install` again: it rewrites the unit and restarts the service',
    });
  }
}
