import { isAbsolute, resolve } from 'node:path';
import { SkulkError } from '../../kernel/errors.ts';
import type { World } from '../../kernel/world.ts';
import { type Origin, placeOf, type Setting } from '../settings.ts';
import { expandPath } from './expand-path.ts';

/**
 * The absolute path that a setting gives.
 * @param key the name of the setting, for messages
 * @throws SkulkError CONFIG for a relative path, a variable that is not set, or a NUL character
 */
export function expandAbsolute({ value, origin }: Setting<string>, key: string, world: World, skulkHome: string): string {
  const expanded = explaining(origin, () =>
    expandPath(value, { env: { ...world.env, SKULK_HOME: skulkHome }, homeDirectory: world.homeDirectory }),
  );
  if (expanded.includes('\0')) throw new SkulkError('CONFIG', `${key} has a NUL character`, { hint: 'correct the path' });
  if (isAbsolute(expanded)) return resolve(expanded);
  throw new SkulkError(
    'CONFIG',
    `${placeOf(origin)}${origin.from === 'file' ? origin.key : key} is ${JSON.stringify(value)}, a relative path`,
    { hint: 'write an absolute path, or begin it with ~ or $HOME' },
  );
}

/** Adds the position of the value that `work` cannot use to the error. */
function explaining<T>(origin: Origin, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof SkulkError
      ? new SkulkError(error.code, `${placeOf(origin)}${error.message}`, { hint: error.hint, cause: error })
      : error;
  }
}
