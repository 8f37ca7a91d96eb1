import { SkulkError } from './errors.ts';
import type { World } from './world.ts';

/**
 * A time limit in seconds from a variable of the environment.
 * @param limits the longest time, and an example for the hint, both in seconds
 * @returns milliseconds; undefined if the variable is not set or empty
 * @throws SkulkError CONFIG for an invalid time
 */
export function envSeconds(
  { env }: Pick<World, 'env'>,
  name: string,
  { most, example }: { readonly most: number; readonly example: number },
): number | undefined {
  const text = env[name]?.trim() ?? '';
  if (text === '') return undefined;
  const seconds = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 0.001 && seconds <= most) return seconds * 1000;
  throw new SkulkError('CONFIG', `${name} is ${JSON.stringify(text)}; it must be a number of seconds`, {
    hint: `set it to more than 0 and at most ${most}, e.g. ${example}, or unset it`,
  });
}

/**
 * How long a connection may be silent, from `SKULK_STALL_TIMEOUT`, in milliseconds; undefined if it is not set.
 * @throws SkulkError CONFIG for an invalid time
 */
export const stallMsOf = (world: Pick<World, 'env'>): number | undefined =>
  envSeconds(world, 'SKULK_STALL_TIMEOUT', { most: 86_400, example: 30 });
