import { nearest } from '../kernel/nearest.ts';
import type { World } from '../kernel/world.ts';
import type { ReadConfig } from './read-file.ts';

/** Tells what stands in a file where nobody reads it. */
export function warnOfMisplaced(world: World, path: string, read: Pick<ReadConfig, 'content' | 'lineOf'>): void {
  if (read.content.model_store === undefined) warnOfNearMiss(world, path, read);
  warnOfStrays(world, path, read);
}

/** Sections of other programs are nobody's business; one that looks like ours means that nothing of it is in force. */
function warnOfNearMiss(world: World, path: string, { content, lineOf }: Pick<ReadConfig, 'content' | 'lineOf'>): void {
  const misspelled = Object.keys(content).find((key) => nearest(key.toLowerCase().replaceAll('-', '_'), ['model_store']) !== undefined);
  if (misspelled === undefined) return;
  world.emit({
    type: 'warning',
    message: `${path}:${lineOf(misspelled) ?? 1}: ${misspelled} is not a section of skulk and is ignored`,
    hint: 'did you mean "model_store"?',
  });
}

const belowModelStore: ReadonlySet<string> = new Set(['store_host', 'store_http_host', 'store_port', 'store_path', 'node_overrides']);

/** Our keys at the top of the file mean nothing to anybody, and a machine without `store_host` takes itself for the host. */
function warnOfStrays(world: World, path: string, { content, lineOf }: Pick<ReadConfig, 'content' | 'lineOf'>): void {
  for (const key of Object.keys(content).filter((one) => belowModelStore.has(one)))
    world.emit({
      type: 'warning',
      message: `${path}:${lineOf(key) ?? 1}: ${key} is outside model_store and is ignored`,
      hint: `move it below "model_store:"`,
    });
}
