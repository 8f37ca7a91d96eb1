import { isDiskFull } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import { acquireLock, describeLockHolder, type HeldLock } from '../../kernel/process/lock.ts';
import type { World } from '../../kernel/world.ts';
import type { StorePresence } from '../disk/store-presence.ts';
import { clearAbandonedPlaces } from '../ingest/incoming.ts';
import type { StoreLayout } from '../layout.ts';
import type { ModelRecords } from '../records/model-records.ts';
import { carryOut, NotExchanged } from './carry-out.ts';
import type { ChangeContext } from './change-context.ts';
import { emptyTrash } from './clear-leftovers.ts';
import { clearIntent, type Intent, modelOf, writeIntent } from './intents.ts';
import { recover } from './recover.ts';
import { removeOnFullDisk } from './remove-steps.ts';

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

/** How a writer comes to the lock, and who is told. */
export interface WriterOptions {
  /** The lock, when this process holds it for as long as it lives (a server). */
  readonly held: HeldLock | undefined;
  /** Told right before and right after each change of this process. */
  readonly onChange: (isUnderWay: boolean) => void;
  /** Gives the store its identity, before the first change of a process that is no server. */
  readonly identify: () => Promise<void>;
  readonly presence: StorePresence | undefined;
}

/** Nothing is written before the first change. */
export function createStoreWriter(layout: StoreLayout, records: ModelRecords, world: World, options: WriterOptions): StoreWriter {
  const { held, onChange } = options;
  const access = createWriteAccess(layout, records, world, options);
  const context: ChangeContext = { layout, records, world, assertHeld: access.assertHeld };
  const changing = new Map<ModelId, Promise<void>>();
  let last: Promise<unknown> = Promise.resolve();
  let steps = 0;
  return {
    write: (change) => {
      const next = last.then(() => {
        onChange(true);
        return access.alone(change).finally(() => onChange(false));
      });
      last = next.catch(() => undefined);
      return next;
    },
    carryOut: async (intent, undo) => {
      const isWritten = await writeDown(intent, context, undo);
      steps += 1;
      const work = (): Promise<void> => carryOutOrUndo(intent, context, undo);
      const done = (intent.op === 'publish' ? work() : removeOnFullDisk(intent, { isWritten, work }, context)).finally(() => {
        steps += 1;
      });
      const modelId = modelOf(intent);
      changing.set(
        modelId,
        done.catch(() => undefined),
      );
      await done.finally(() => changing.delete(modelId));
      await emptyTrash(layout, world);
    },
    settled: async (modelId) => changing.get(modelId),
    assertHeld: access.assertHeld,
    steps: () => steps,
    [Symbol.asyncDispose]: async () => {
      await last;
      await held?.release();
    },
  };
}

const patienceMs = 10_000;

/** The lock of the store as a writer uses it. `alone` runs a change under it, after what a dead writer left was carried out. */
function createWriteAccess(
  layout: StoreLayout,
  records: ModelRecords,
  world: World,
  { held, identify, presence }: WriterOptions,
): { readonly alone: <T>(change: () => Promise<T>) => Promise<T>; readonly assertHeld: () => Promise<void> } {
  let recovered = false;
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
    await using taken = held === undefined ? await takeLock(layout, world) : undefined;
    lock = taken ?? held;
    if (!recovered) await identify();
    await recover({ layout, records, world, assertHeld }, held === undefined);
    recovered = true;
    return await change();
  };
  return { alone, assertHeld };
}

const takeLock = ({ lock }: StoreLayout, { signal, emit }: World): Promise<HeldLock> =>
  acquireLock(lock, {
    purpose: 'a skulk command',
    timeoutMs: patienceMs,
    signal,
    // A server that answers keeps it for as long as it lives, and takes requests instead.
    isHopeless: ({ url }) => url !== undefined,
    onWait: (holder) => emit({ type: 'waiting', message: `waiting for ${describeLockHolder(holder)}, which writes to the store` }),
  });

/** @returns false when a removal could not be written down because the disk is full */
async function writeDown(intent: Intent, { layout, assertHeld }: ChangeContext, undo?: () => Promise<void>): Promise<boolean> {
  await assertHeld().catch(async (error: unknown) => {
    await undo?.();
    throw error;
  });
  try {
    await writeIntent(layout, intent);
    return true;
  } catch (error) {
    await clearIntent(layout, intent).catch(() => undefined);
    if (intent.op !== 'publish' && isDiskFull(error)) return false;
    await undo?.();
    throw error;
  }
}

async function carryOutOrUndo(intent: Intent, context: ChangeContext, undo?: () => Promise<void>): Promise<void> {
  try {
    await carryOut(intent, context);
  } catch (error) {
    if (!(error instanceof NotExchanged)) throw error;
    await undo?.();
    throw error.cause;
  }
}
