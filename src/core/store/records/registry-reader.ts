import { stat } from 'node:fs/promises';
import type { World } from '../../kernel/world.ts';
import type { StoreLayout } from '../layout.ts';
import type { ModelRecords } from './model-records.ts';
import type { Registry } from './registry.ts';
import { readUsableRegistry } from './repair-registry.ts';

/** Reads the registry, and reads it again only after the file changed: parsing a registry of 2,000 models takes milliseconds. */
export function createRegistryReader(layout: StoreLayout, records: ModelRecords, world: World): () => Promise<Registry> {
  let cached: { stamp: string; registry: Registry } | undefined;
  return async () => {
    const info = await stat(layout.registry, { bigint: true }).catch(() => undefined);
    const stamp = info === undefined ? '' : `${info.ino}:${info.mtimeNs}:${info.size}`;
    if (cached === undefined || cached.stamp !== stamp) cached = { stamp, registry: await readUsableRegistry(layout, records, world) };
    return cached.registry;
  };
}
