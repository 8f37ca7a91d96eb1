import { basename } from 'node:path';
import { SkulkError } from '../../kernel/errors.ts';
import { type ModelId, modelIdOfDirectory } from '../../kernel/model-id.ts';
import type { World } from '../../kernel/world.ts';
import { scanOrNothing } from '../ingest/scan-directory.ts';
import type { StoreLayout } from '../layout.ts';
import type { ModelRecords } from './model-records.ts';
import {
  type DamagedRegistry,
  keepDamagedRegistry,
  type Registry,
  readRegistry,
  rebuildEntries,
  reportUnusable,
  writeRegistry,
} from './registry.ts';

/** Called under the lock: moves an unreadable registry aside and rebuilds it from the disk. */
export async function repairRegistry(layout: StoreLayout, records: ModelRecords, world: World): Promise<void> {
  const registry = await readRegistry(layout);
  if (!('damaged' in registry)) return reportUnusable(registry, layout.registry, world.emit);
  const entries = await rebuildFromDisk(layout, records, registry);
  const aside = registry.isMissing ? undefined : await keepDamagedRegistry(layout.registry, world.now());
  await writeRegistry(layout.registry, Object.fromEntries(entries));
  world.emit({
    type: 'warning',
    message: `cannot use ${layout.registry}: ${registry.damaged}. ${aside === undefined ? 'It was' : `It was moved to ${aside} and`} rebuilt from the ${entries.size} models on the disk`,
    hint: `${aside === undefined ? '`skulk registry` lists them' : 'compare the two files, then remove the moved one'}; to adopt a directory without a record: \`skulk add DIR --as MODEL\``,
  });
}

/** Reads the registry, or rebuilds it in memory if the file is unusable. */
export async function readUsableRegistry(layout: StoreLayout, records: ModelRecords, world: World): Promise<Registry> {
  const registry = await readRegistry(layout);
  if (!('damaged' in registry)) return registry;
  world.emit({ type: 'warning', message: `${layout.registry} cannot be used: ${registry.damaged}`, hint: 'run `skulk verify --repair`' });
  const entries = await rebuildFromDisk(layout, records, registry);
  return { entries, raw: Object.fromEntries(entries), commits: new Map(), unusable: [] };
}

/** A model is a directory with a manifest, or one that is in the damaged file. Any other may belong to a user. */
const rebuildFromDisk = (layout: StoreLayout, records: ModelRecords, { text = '' }: DamagedRegistry) =>
  rebuildEntries(
    layout.root,
    async (modelId, directory, commit) => {
      const isOfEntry = commit === undefined || text.includes(JSON.stringify(basename(directory)));
      let isNamed = isOfEntry && text.includes(JSON.stringify(modelId));
      const known = await records.read(modelId).catch(() => {
        isNamed = true;
        return undefined;
      });
      if (known === undefined && !isNamed) return undefined;
      // The directory may hold several commits; the manifest describes one of them.
      if (!isOfEntry && known?.manifest.commit !== commit) return undefined;
      const scan = await scanOrNothing(directory);
      if (scan === undefined) return undefined;
      // Without a manifest, another program's unfinished download must not become a model.
      if (known === undefined && scan.skipped.some(({ why }) => why.includes('unfinished'))) return undefined;
      const files = known?.manifest.files ?? scan.files;
      return { files: files.map(({ path }) => path), totalBytes: files.reduce((sum, { size }) => sum + size, 0) };
    },
    (name): ModelId | undefined => modelIdOfDirectory(name),
  );

/** Reads the registry for a change. Throws INTEGRITY if it is unreadable. */
export async function requireRegistry(layout: StoreLayout): Promise<Registry> {
  const registry = await readRegistry(layout);
  if ('damaged' in registry)
    throw new SkulkError('INTEGRITY', `${layout.registry} cannot be used: ${registry.damaged}`, { hint: 'run `skulk verify --repair`' });
  return registry;
}
