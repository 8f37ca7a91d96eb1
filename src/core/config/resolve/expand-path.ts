import { SkulkError } from '../../kernel/errors.ts';
import type { World } from '../../kernel/world.ts';

/**
 * Replaces `~` at the start, and `$VAR` or `${VAR}` anywhere.
 * @throws SkulkError CONFIG for a variable that is not set
 */
export function expandPath(path: string, { env, homeDirectory }: Pick<World, 'env' | 'homeDirectory'>): string {
  return path
    .replace(/^~(?=\/|$)/, () => homeDirectory)
    .replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, bare: string | undefined) => {
      const name = braced ?? bare ?? '';
      const value = env[name];
      if (value !== undefined && value !== '') return value;
      throw new SkulkError('CONFIG', `the path ${path} contains $${name}, which is not set`, {
        hint: `set ${name}, or write the path out`,
      });
    });
}
