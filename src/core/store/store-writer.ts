import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDiskFull, isSystemError, SkulkError } from '../kernel/errors.ts';
import { renameDurably } from '../kernel/files/durable-file.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { quoteSome } from '../kernel/files/relative-path.ts';
import { type ModelId, modelIdOfDirectory } from '../kernel/model-id.ts';
import { acquireLock, describeLockHolder, type HeldLock } from '../kernel/process/lock.ts';
import type { World } from '../kernel/world.ts';
import { emptyTrash as emptyTrashAt, removeTree, settleTaken, takeAway, takeFiles } from '../transfer/trash.ts';
import { isPlaceInside } from './disk/inside-store.ts';
import type { StorePresence } from './disk/store-presence.ts';
import { clearAbandonedPlaces } from './ingest/incoming.ts';
import { clearIntent, type Intent, modelOf, readIntents, writeIntent } from './ingest/intents.ts';
import { scanOrNothing } from './ingest/scan-directory.ts';
import type { StoreLayout } from './layout.ts';
import { findForeignFiles, isOfModel, notRegistered, proveReplaceable } from './own-model.ts';
import type { ModelRecords } from './records/model-records.ts';
import {
  type DamagedRegistry,
  keepDamagedRegistry,
  type Registry,
  readRegistry,
  rebuildEntries,
  reportUnusable,
  writeRegistry,
  writeRegistryEntry,
} from './records/registry.ts';

/** The only way to change a store's index: one writer at a time, over processes and within this one. */
export interface StoreWriter extends AsyncDisposable {
  /**
   * Runs `change` alone, after what a dead writer left was carried out.
   * Throws LOCKED when another process writes for longer than ten seconds, or has taken the lock from this one.
   */
  write<T>(change: () => Promise<T>): Promise<T>;
  /**
   * Writes an intent down and carries it out; to be called inside `write`.
   * @param undo called when it could not even be written down, or the files could not be put into their place; later failures
   * leave it to the next writer
   */
  carryOut(intent: Intent, undo?: () => Promise<void>): Promise<void>;
  /** Resolves when no change of this process to a model is half done. */
  settled(modelId: ModelId): Promise<void>;
  /**
   * Asks, inside `write`, whether this process may still write; to be called before each step that others see.
   * @throws SkulkError LOCKED when another process has taken the lock, as this one was suspended
   */
  assertHeld(): Promise<void>;
  /** Grows whenever this process begins or ends a change to a model: whoever looked meanwhile may have seen it half done. */
  readonly steps: () => number;
}

const patienceMs = 10_000;

/**
 * @param held the lock, when this process holds it for as long as it lives (a server)
 * @param onChange told right before and right after each change of this process
 * @param identify gives the store its identity, before the first change of a process that is no server
 */
export function createStoreWriter(
  layout: StoreLayout,
  records: ModelRecords,
  world: World,
  {
    held,
    onChange,
    identify,
    presence,
  }: {
    readonly held: HeldLock | undefined;
    readonly onChange: (isUnderWay: boolean) => void;
    readonly identify: () => Promise<void>;
    readonly presence: StorePresence | undefined;
  },
): StoreWriter {
  let last: Promise<unknown> = Promise.resolve();
  let recovered = false;
  const changing = new Map<ModelId, Promise<void>>();
  let steps = 0;
  let lock: Pick<HeldLock, 'assertHeld'> | undefined = held;
  const assertHeld = async (): Promise<void> => {
    await presence?.require();
    await lock?.assertHeld();
  };
  const alone = async <T>(change: () => Promise<T>): Promise<T> => {
    await presence?.require();
    if (held !== undefined && recovered) {
      await held.assertHeld();
      await clearAbandonedPlaces(layout, world.now(), world.emit);
      return change();
    }
    await using taken =
      held === undefined
        ? await acquireLock(layout.lock, {
            purpose: 'a skulk command',
            timeoutMs: patienceMs,
            signal: world.signal,
            // A server that answers keeps it for as long as it lives, and takes requests instead.
            isHopeless: ({ url }) => url !== undefined,
            onWait: (holder) =>
              world.emit({ type: 'waiting', message: `waiting for ${describeLockHolder(holder)}, which writes to the store` }),
          })
        : undefined;
    lock = taken ?? held;
    if (!recovered) await identify();
    await recover(layout, records, world, { isAlone: held === undefined, assertHeld });
    recovered = true;
    return await change();
  };
  return {
    write: (change) => {
      const next = last.then(() => {
        onChange(true);
        return alone(change).finally(() => onChange(false));
      });
      last = next.catch(() => undefined);
      return next;
    },
    carryOut: async (intent, undo) => {
      const modelId = modelOf(intent);
      await assertHeld().catch(async (error: unknown) => {
        await undo?.();
        throw error;
      });
      const isWritten = await writeIntent(layout, intent).then(
        () => true,
        async (error: unknown) => {
          await clearIntent(layout, intent).catch(() => undefined);
          if (intent.op === 'remove' && isDiskFull(error)) return false;
          await undo?.();
          throw error;
        },
      );
      steps += 1;
      const work = (): Promise<void> =>
        carryOut(layout, records, world, { intent, assertHeld }).catch(async (error: unknown) => {
          if (!(error instanceof NotExchanged)) throw error;
          await undo?.();
          throw error.cause;
        });
      const done = (intent.op === 'remove' ? removeOnFullDisk(layout, world, intent, { isWritten, work, assertHeld }) : work()).finally(
        () => {
          steps += 1;
        },
      );
      changing.set(
        modelId,
        done.catch(() => undefined),
      );
      await done.finally(() => changing.delete(modelId));
      await emptyTrash(layout, world);
    },
    settled: async (modelId) => changing.get(modelId),
    assertHeld,
    steps: () => steps,
    [Symbol.asyncDispose]: async () => {
      await last;
      await held?.release();
    },
  };
}

/** Ends what a dead process began, and makes a registry that can be read. */
async function recover(
  layout: StoreLayout,
  records: ModelRecords,
  world: World,
  { isAlone, assertHeld }: { readonly isAlone: boolean; readonly assertHeld: () => Promise<void> },
): Promise<void> {
  await assertHeld();
  await mendRegistry(layout, records, world);
  for (const intent of await readIntents(layout)) {
    world.emit({
      type: 'note',
      message: `carrying out a change that was interrupted: ${intent.op} ${intent.op === 'publish' ? intent.entry.model_id : intent.modelId}`,
    });
    await carryOut(layout, records, world, { intent, assertHeld }).catch((error: unknown) => {
      if (!(error instanceof NotExchanged)) throw error;
      const { message, hint } = error.cause as Partial<SkulkError>;
      world.emit({ type: 'warning', message: `an interrupted change was given up: ${message}`, hint });
    });
  }
  for (const place of await settleTaken(layout))
    world.emit({ type: 'note', message: `${place} is back, which an interrupted command had moved away` });
  await clearAbandonedPlaces(layout, world.now(), world.emit);
  // A server's fleet writes beside this writer, and tidies up for itself.
  await removeDrafts(isAlone ? [...writtenUnderLock(layout), layout.fleet] : writtenUnderLock(layout));
  await emptyTrash(layout, world);
}

const writtenUnderLock = ({ root, manifests, seen, intents }: StoreLayout): readonly string[] => [root, manifests, seen, intents];

/** Files that a dead process was writing; every file in these directories is written under the lock. */
async function removeDrafts(directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    const names = await readdir(directory).catch((): string[] => []);
    for (const name of names.filter((one) => /^\..+\.(?:nd)?json\.[0-9a-f]{12}\.tmp$/.test(one)))
      await rm(join(directory, name), { force: true });
  }
}

/** What cannot be removed now is tried again before the next change. */
async function emptyTrash({ trash }: StoreLayout, { emit }: World): Promise<void> {
  try {
    const { left } = await emptyTrashAt(trash);
    for (const path of left) emit({ type: 'warning', message: `${path} is left over from a removal and cannot be removed` });
  } catch (error) {
    emit({ type: 'warning', message: `${trash} cannot be emptied: ${(error as Error).message}` });
  }
}

/** Moves a registry that cannot be read aside and makes it again from what is on the disk. */
async function mendRegistry(layout: StoreLayout, records: ModelRecords, world: World): Promise<void> {
  const registry = await readRegistry(layout);
  if (!('damaged' in registry)) return reportUnusable(registry, layout.registry, world.emit);
  const entries = await rebuildFromDisk(layout, records, registry);
  const aside = registry.isMissing ? undefined : await keepDamagedRegistry(layout.registry, world.now());
  await writeRegistry(layout.registry, Object.fromEntries(entries));
  world.emit({
    type: 'warning',
    message: `${layout.registry} could not be used: ${registry.damaged}. ${aside === undefined ? 'It was' : `It was moved to ${aside} and`} made again from the ${entries.size} models on the disk`,
    hint: `${aside === undefined ? '`skulk registry` lists them' : 'compare the two, then remove the one that was moved aside'}; a directory that no record names is taken in with \`skulk add DIR --as MODEL\``,
  });
}

/** The registry, made again in memory when the file cannot be used. */
export async function readUsableRegistry(layout: StoreLayout, records: ModelRecords, world: World): Promise<Registry> {
  const registry = await readRegistry(layout);
  if (!('damaged' in registry)) return registry;
  world.emit({ type: 'warning', message: `${layout.registry} cannot be used: ${registry.damaged}`, hint: 'run `skulk verify --repair`' });
  const entries = await rebuildFromDisk(layout, records, registry);
  return { entries, raw: Object.fromEntries(entries), unusable: [] };
}

/** A model is a directory with a manifest, or one that the damaged file still names: any other may be somebody's own. */
const rebuildFromDisk = (layout: StoreLayout, records: ModelRecords, { text = '' }: DamagedRegistry) =>
  rebuildEntries(
    layout.root,
    async (modelId, directory) => {
      let isNamed = text.includes(JSON.stringify(modelId));
      const known = await records.read(modelId).catch(() => {
        isNamed = true;
        return undefined;
      });
      if (known === undefined && !isNamed) return undefined;
      const scan = await scanOrNothing(directory);
      if (scan === undefined) return undefined;
      // Without a manifest, an unfinished download of another program must not become a model.
      if (known === undefined && scan.skipped.some(({ why }) => why.includes('unfinished'))) return undefined;
      const files = known?.manifest.files ?? scan.files;
      return { files: files.map(({ path }) => path), totalBytes: files.reduce((sum, { size }) => sum + size, 0) };
    },
    (name): ModelId | undefined => modelIdOfDirectory(name),
  );

/** A change that is under way, and the question before each of its steps. */
interface Step<T extends Intent = Intent> {
  readonly intent: T;
  readonly assertHeld: () => Promise<void>;
}

/** The files of a model could not be put into their place; all lies where it was. `cause` says why. */
class NotExchanged extends Error {}

async function carryOut(layout: StoreLayout, records: ModelRecords, world: World, { intent, assertHeld }: Step): Promise<void> {
  if (intent.op === 'remove') await remove(layout, records, world, { intent, assertHeld });
  else {
    try {
      await exchange(layout, records, { intent, assertHeld });
    } catch (cause) {
      // Whoever has the lock by now carries it out.
      await assertHeld();
      await clearIntent(layout, intent);
      throw new NotExchanged('the files could not be put into their place', { cause });
    }
    await enter(layout, records, world, { intent, assertHeld });
  }
  await assertHeld();
  await clearIntent(layout, intent);
}

/** Puts the files of a model into their place. What is there goes to the trash first, and comes back when that fails. */
async function exchange(
  layout: StoreLayout,
  records: ModelRecords,
  { intent: { entry, incoming }, assertHeld }: Step<Extract<Intent, { op: 'publish' }>>,
): Promise<void> {
  if (incoming === null) return;
  const { model_id, store_path } = entry;
  const place = join(layout.root, store_path);
  const files = join(layout.incoming, incoming, 'files');
  if (!(await exists(files))) return;
  await assertHeld();
  const old = await takeAway(place, layout, proveReplaceable(model_id, store_path, { registry: () => usable(layout), records }));
  try {
    await makeDirectory(dirname(place));
    await assertHeld();
    await renameDurably(files, place);
  } catch (error) {
    await old?.giveBack();
    // Somebody put something there right now.
    if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw notRegistered(model_id, place);
    throw error;
  }
  await old?.seal();
}

/** Enters a model into the registry whose files are in their place. */
async function enter(
  layout: StoreLayout,
  records: ModelRecords,
  { emit }: World,
  { intent: { entry, manifest, upstream, seen, incoming }, assertHeld }: Step<Extract<Intent, { op: 'publish' }>>,
): Promise<void> {
  const place = join(layout.root, entry.store_path);
  if (incoming !== null) await removeTree(join(layout.incoming, incoming));
  if (!(await exists(place))) {
    const isBack = (await settleTaken(layout)).includes(place);
    const what = isBack ? 'what was there before is back' : 'so it was not';
    emit({ type: 'warning', message: `${place} went away before ${entry.model_id} was entered into the registry, ${what}` });
    return;
  }
  await assertHeld();
  await records.write(manifest, { seen, upstream });
  const registry = await usable(layout);
  await assertHeld();
  await writeRegistryEntry(layout.registry, registry, entry.model_id, entry);
}

async function remove(
  layout: StoreLayout,
  records: ModelRecords,
  world: World,
  { intent, assertHeld }: Step<Extract<Intent, { op: 'remove' }>>,
): Promise<void> {
  const { modelId, storePath } = intent;
  // First it stops being served, then it goes.
  const registry = await usable(layout);
  await assertHeld();
  await writeRegistryEntry(layout.registry, registry, modelId, undefined);
  await records.remove(modelId);
  await assertHeld();
  if (await isPlaceInside(layout.root, storePath)) await takeModel(layout, world, intent);
  else world.emit({ type: 'warning', message: `the directory of ${modelId}, ${storePath}, lies outside the store, so it was left alone` });
}

/** Moves a model's files into the trash; what somebody else put beside them stays. */
async function takeModel(
  { root, trash }: StoreLayout,
  { emit }: World,
  { modelId, storePath, files }: Extract<Intent, { op: 'remove' }>,
  { isFull = false } = {},
): Promise<void> {
  const place = join(root, storePath);
  const info = await lstat(place).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (info === undefined) return;
  if (info.isFile()) {
    emit({ type: 'warning', message: `${place}, which the registry named for ${modelId}, is no directory, so it stays` });
    return;
  }
  // A link goes as a link; what it leads to is not looked at.
  if (isFull && info.isSymbolicLink()) return rm(place);
  const others = await findForeignFiles(place, files);
  if (others.length === 0 && !isFull) {
    const taken = await takeAway(place, { root, trash }, async (at, path) => {
      if ((await findForeignFiles(at, files)).length > 0)
        throw new SkulkError('CONFLICT', `somebody writes into ${path} right now, so it stays`, { hint: 'delete the model again' });
    });
    await taken?.seal();
    return;
  }
  await takeFiles(place, { trash: isFull ? undefined : trash }, { isOurs: isOfModel(files) });
  if (others.length > 0)
    emit({
      type: 'warning',
      message: `${place} held files that are not of ${modelId}, so they stay: ${quoteSome(others)}`,
      hint: 'move that directory away before you bring the model in again',
    });
}

/**
 * On a full disk nothing can be written down before the model's files are gone. A crash after that leaves an entry without files,
 * which is listed as lost and can be deleted.
 * @param isWritten whether the intent could be written down
 */
async function removeOnFullDisk(
  layout: StoreLayout,
  world: World,
  intent: Extract<Intent, { op: 'remove' }>,
  {
    isWritten,
    work,
    assertHeld,
  }: { readonly isWritten: boolean; readonly work: () => Promise<void>; readonly assertHeld: () => Promise<void> },
): Promise<void> {
  try {
    if (isWritten) return await work();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
  await assertHeld();
  if (await isPlaceInside(layout.root, intent.storePath))
    await takeModel(layout, world, intent).catch((error: unknown) => {
      if (!isDiskFull(error)) throw error;
      // Not even the trash could be made.
      return takeModel(layout, world, intent, { isFull: true });
    });
  await emptyTrash(layout, world);
  await work();
}

async function usable(layout: StoreLayout): Promise<Registry> {
  const registry = await readRegistry(layout);
  if ('damaged' in registry)
    throw new SkulkError('INTEGRITY', `${layout.registry} cannot be used: ${registry.damaged}`, { hint: 'run `skulk verify --repair`' });
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
