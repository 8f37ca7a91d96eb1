import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { scanOrNothing } from './scan-directory.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { acquireLock, type HeldLock } from '../kernel/lock.ts';
import { modelIdOfDirectory, type ModelId } from '../kernel/model-id.ts';
import type { World } from '../kernel/world.ts';
import { moveToTrash, removeTree } from '../transfer/remove-tree.ts';
import { renameDurably } from '../kernel/durable-file.ts';
import { clearAbandonedPlaces } from './incoming.ts';
import { clearIntent, type Intent, readIntents, writeIntent } from './intents.ts';
import type { StoreLayout } from './layout.ts';
import type { ModelRecords } from './model-records.ts';
import { moveRegistryAside, readRegistry, rebuildEntries, type Registry, reportUnusable, writeRegistry, writeRegistryEntry } from './registry.ts';

/** The only way to change a store's index: one writer at a time, over processes and within this one. */
export interface StoreWriter extends AsyncDisposable {
  /**
   * Runs `change` alone, after what a dead writer left was carried out.
   * Throws LOCKED when another process writes for longer than ten seconds.
   */
  write<T>(change: () => Promise<T>): Promise<T>;
  /** Writes an intent down and carries it out; to be called inside `write`. */
  carryOut(intent: Intent): Promise<void>;
}

const patienceMs = 10_000;

/** @param held the lock, when this process holds it for as long as it lives (a server) */
export function createStoreWriter(layout: StoreLayout, records: ModelRecords, world: World, held: HeldLock | undefined): StoreWriter {
  let last: Promise<unknown> = Promise.resolve();
  let recovered = false;
  const alone = async <T>(change: () => Promise<T>): Promise<T> => {
    if (held !== undefined && recovered) return change();
    await using _ =
      held === undefined
        ? await acquireLock(layout.lock, {
            purpose: 'a skulk command',
            timeoutMs: patienceMs,
            signal: world.signal,
            onWait: ({ pid, purpose }) => world.emit({ type: 'waiting', message: `waiting for ${purpose} (pid ${pid}), which writes to the store` }),
          })
        : undefined;
    await recover(layout, records, world);
    recovered = true;
    return await change();
  };
  return {
    write: (change) => {
      const next = last.then(() => alone(change));
      last = next.catch(() => undefined);
      return next;
    },
    carryOut: async (intent) => {
      await writeIntent(layout, intent);
      await carryOut(layout, records, intent);
    },
    [Symbol.asyncDispose]: async () => {
      await last;
      await held?.release();
    },
  };
}

/** Ends what a dead process began, and makes a registry that can be read. */
async function recover(layout: StoreLayout, records: ModelRecords, world: World): Promise<void> {
  await mendRegistry(layout, records, world);
  for (const intent of await readIntents(layout)) {
    world.emit({ type: 'note', message: `carrying out a change that was interrupted: ${intent.op} ${intent.op === 'publish' ? intent.entry.model_id : intent.modelId}` });
    await carryOut(layout, records, intent);
  }
  await clearAbandonedPlaces(layout, world.now(), world.emit);
  await removeTree(layout.trash);
}

/** Moves a registry that cannot be read aside and makes it again from what is on the disk. */
async function mendRegistry(layout: StoreLayout, records: ModelRecords, world: World): Promise<void> {
  const registry = await readRegistry(layout.registry);
  if (!('damaged' in registry)) return reportUnusable(registry, layout.registry, world.emit);
  const entries = await rebuildFromDisk(layout, records);
  const aside = await moveRegistryAside(layout.registry, world.now());
  await writeRegistry(layout.registry, Object.fromEntries(entries));
  world.emit({
    type: 'warning',
    message: `${layout.registry} could not be used: ${registry.damaged}. It was moved to ${aside} and made again from the ${entries.size} models on the disk`,
    hint: 'compare the two, then remove the one that was moved aside',
  });
}

/** The registry, made again in memory when the file cannot be used. */
export async function readUsableRegistry(layout: StoreLayout, records: ModelRecords, world: World): Promise<Registry> {
  const registry = await readRegistry(layout.registry);
  if (!('damaged' in registry)) return registry;
  world.emit({ type: 'warning', message: `${layout.registry} cannot be used: ${registry.damaged}`, hint: 'run `skulk verify --repair`' });
  const entries = await rebuildFromDisk(layout, records);
  return { entries, raw: Object.fromEntries(entries), unusable: [] };
}

const rebuildFromDisk = (layout: StoreLayout, records: ModelRecords) =>
  rebuildEntries(
    layout.root,
    async (modelId, directory) => {
      const known = await records.read(modelId).catch(() => undefined);
      const scan = await scanOrNothing(directory);
      if (scan === undefined) return undefined;
      // Without a manifest, an unfinished download of another program must not become a model.
      if (known === undefined && scan.skipped.some(({ why }) => why.includes('unfinished'))) return undefined;
      const files = known?.manifest.files ?? scan.files;
      return { files: files.map(({ path }) => path), totalBytes: files.reduce((sum, { size }) => sum + size, 0) };
    },
    (name): ModelId | undefined => modelIdOfDirectory(name),
  );

async function carryOut(layout: StoreLayout, records: ModelRecords, intent: Intent): Promise<void> {
  if (intent.op === 'publish') await publish(layout, records, intent);
  else await remove(layout, records, intent);
  await clearIntent(layout, intent);
  await removeTree(layout.trash);
}

async function publish(layout: StoreLayout, records: ModelRecords, { entry, manifest, seen, incoming }: Extract<Intent, { op: 'publish' }>): Promise<void> {
  if (incoming !== null) {
    const place = join(layout.root, entry.store_path);
    const files = join(layout.incoming, incoming, 'files');
    if (await exists(files)) {
      await moveToTrash(place, layout.trash);
      await renameDurably(files, place);
    }
    await removeTree(join(layout.incoming, incoming));
  }
  await records.write(manifest, seen);
  await writeRegistryEntry(layout.registry, await usable(layout), entry.model_id, entry);
}

async function remove(layout: StoreLayout, records: ModelRecords, { modelId, storePath }: Extract<Intent, { op: 'remove' }>): Promise<void> {
  // First it stops being served, then it goes.
  await writeRegistryEntry(layout.registry, await usable(layout), modelId, undefined);
  await records.remove(modelId);
  await moveToTrash(join(layout.root, storePath), layout.trash);
}

async function usable(layout: StoreLayout): Promise<Registry> {
  const registry = await readRegistry(layout.registry);
  if ('damaged' in registry) throw new SkulkError('INTEGRITY', `${layout.registry} cannot be used: ${registry.damaged}`, { hint: 'run `skulk verify --repair`' });
  return registry;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
