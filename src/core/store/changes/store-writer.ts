import { isDiskFull } from '../../kernel/errors.ts';
import { createSerialQueue } from '../../kernel/flow/serial-queue.ts';
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

/** The only way to change a store's index. There is one writer at a time, across processes and within this one. */
export interface StoreWriter extends AsyncDisposable {
  /**
   * Runs `change` alone, after the unfinished changes of a dead writer. Throws LOCKED if another process writes for longer than ten
   * seconds, or has taken the lock from this one.
   */
  write<T>(change: () => Promise<T>): Promise<T>;
  /**
   * Records an intent and carries it out. Call it inside `write`.
   * @param undo called if it could not be recorded, or the files could not be moved into place; after other failures the next writer
   * finishes it
   */
  carryOut(intent: Intent, undo?: () => Promise<void>): Promise<void>;
  /** Resolves when this process is not in the middle of a change to a model. */
  settled(modelId: ModelId): Promise<void>;
  /**
   * Checks, inside `write`, that this process may still write. Call it before each step that others can see.
   * @throws SkulkError LOCKED if another process has taken the lock while this one was suspended
   */
  assertHeld(): Promise<void>;
  /**
   * Increases when this process begins or ends a change to a model. If it differs after a read, the read may have seen a half-finished
   * change.
   */
  readonly steps: () => number;
}

/** How a writer gets the lock, and which callbacks it calls. */
export interface WriterOptions {
  /** The lock, if this process holds it during its whole life (a server). */
  readonly held: HeldLock | undefined;
  /** Called right before and right after each change of this process. */
  readonly onChange: (isUnderWay: boolean) => void;
  /** Creates the store's identity, before the first change of a process that is not a server. */
  readonly identify: () => Promise<void>;
  readonly presence: StorePresence | undefined;
}

/** Nothing is written before the first change. */
export function createStoreWriter(layout: StoreLayout, records: ModelRecords, world: World, options: WriterOptions): StoreWriter {
  const { held, onChange } = options;
  const access = createWriteAccess(layout, records, world, options);
  const context: ChangeContext = { layout, records, world, assertHeld: access.assertHeld };
  const changing = new Map<ModelId, Promise<void>>();
  const changes = createSerialQueue();
  let steps = 0;
  return {
    write: (change) =>
      changes.run(() => {
        onChange(true);
        return access.alone(change).finally(() => onChange(false));
      }),
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
      await changes.idle();
      await held?.release();
    },
  };
}

const patienceMs = 10_000;

/** A writer's access to the store's lock. `alone` runs a change under the lock, after the unfinished changes of a dead writer. */
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
    // A server that answers requests holds the lock during its whole life. Send it requests instead.
    isHopeless: ({ url }) => url !== undefined,
    onWait: (holder) => emit({ type: 'waiting', message: `waiting for ${describeLockHolder(holder)}, which writes to the store` }),
  });

/** @returns false if a removal could not be recorded because the disk is full */
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
