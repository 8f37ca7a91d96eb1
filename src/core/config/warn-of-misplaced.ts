import { nearest } from '../kernel/nearest.ts';
import type { World } from '../kernel/world.ts';
import { knownKeysAt } from './known-keys.ts';
import type { ReadConfig } from './read-file.ts';

/**
 * Warns about keys at positions where they have no effect.
 * @param isStoreGiven whether a flag or the environment names the store
 */
export function warnOfMisplaced(
  world: World,
  path: string,
  { isStoreGiven, ...read }: Pick<ReadConfig, 'content' | 'lineOf'> & { readonly isStoreGiven: boolean },
): void {
  if (read.content.model_store === undefined) warnOfNearMiss(world, path, { ...read, isStoreGiven });
  warnOfStrays(world, path, read);
}

/** Sections of other programs are not checked, but one with a similar name to skulk's is probably a typo, and has no effect. */
function warnOfNearMiss(
  world: World,
  path: string,
  { content, lineOf, isStoreGiven }: Pick<ReadConfig, 'content' | 'lineOf'> & { readonly isStoreGiven: boolean },
): void {
  const misspelled = Object.keys(content).find((key) => nearest(key.toLowerCase().replaceAll('-', '_'), ['model_store']) !== undefined);
  if (misspelled === undefined) return;
  world.emit({
    type: 'warning',
    message: `${path}:${lineOf(misspelled) ?? 1}: ${misspelled} is not a section of skulk and is ignored, ${
      isStoreGiven
        ? 'so all its settings have their defaults'
        : 'so this file names no store: commands use one that they find on the LAN, and `skulk serve` makes this machine a store host'
    }`,
    hint: 'did you mean "model_store"?',
  });
}

/** Another program that shares the file may have a section with such a name. With one of skulk's keys in it, it is skulk's. */
const oftenForeign: ReadonlySet<string> = new Set(['enabled', 'auth', 'download', 'staging']);

/** skulk's keys at the top of the file have no effect, and a machine without `store_host` becomes the host. */
function warnOfStrays(world: World, path: string, { content, lineOf }: Pick<ReadConfig, 'content' | 'lineOf'>): void {
  for (const [key, value] of Object.entries(content)) {
    if (!isOfModelStore(key, value)) continue;
    world.emit({
      type: 'warning',
      message: `${path}:${lineOf(key) ?? 1}: ${key} is outside model_store and is ignored`,
      hint: `move it below "model_store:"`,
    });
  }
}

function isOfModelStore(key: string, value: unknown): boolean {
  if (!knownKeysAt(['model_store']).includes(key)) return false;
  if (!oftenForeign.has(key)) return true;
  const inside = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return inside.some((one) => knownKeysAt(['model_store', key]).includes(one));
}
