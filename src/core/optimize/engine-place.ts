import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endLeftEngine } from '../engines/run-engine.ts';
import { isSystemError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { namesIn } from '../kernel/files/if-present.ts';
import { makeDirectory } from '../kernel/files/make-directory.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import { directoryName, type ModelId, modelIdOfDirectory } from '../kernel/model-id.ts';
import { acquireLock, isHeld, tryLock } from '../kernel/process/lock.ts';
import type { ProcessOnMachine } from '../kernel/process/process-identity.ts';
import type { StoreLayout } from '../store/layout.ts';
import { removeTree } from '../transfer/trash/remove-tree.ts';

/** The directory of saved jobs. */
export const jobsOf = ({ optimizations }: Pick<StoreLayout, 'optimizations'>): string => join(optimizations, 'jobs');
const placesOf = ({ optimizations }: Pick<StoreLayout, 'optimizations'>): string => join(optimizations, 'work');
/** The directory in which an engine makes a model. */
export const placeOf = (layout: Pick<StoreLayout, 'optimizations'>, targetId: ModelId): string =>
  join(placesOf(layout), directoryName(targetId));

/** The directory in which an engine makes one model, locked by this process. */
export interface EnginePlace extends AsyncDisposable {
  /** Rejects with LOCKED if another process has taken the lock. */
  assertHeld(): Promise<void>;
  /** A directory for a run, with the data of an earlier run with the same key. The data of other keys is removed. */
  enter(key: string): Promise<string>;
  /** Records the engine's process before it begins. */
  recordEngine(engine: ProcessOnMachine): Promise<void>;
  /** Removes the record of a process that has ended. */
  forgetEngine(): Promise<void>;
  /** Removes the data of all runs. */
  clear(): Promise<void>;
}

const engineFile = 'engine.json';
const runs = 'run';

/**
 * Takes the lock of a directory. An engine that a dead process left running there is ended first.
 * @throws SkulkError LOCKED while another process makes the same model
 */
export async function takePlace(layout: Pick<StoreLayout, 'optimizations'>, targetId: ModelId, signal: AbortSignal): Promise<EnginePlace> {
  const path = placeOf(layout, targetId);
  await makeDirectory(path);
  const lock = await acquireLock(join(path, 'lock'), { purpose: `making ${targetId}`, timeoutMs: 0, signal });
  try {
    await endRecorded(path);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return {
    assertHeld: () => lock.assertHeld(),
    enter: async (key) => {
      const directory = join(path, runs, key);
      const others = await namesIn(join(path, runs));
      for (const name of others.filter((one) => one !== key)) await removeTree(join(path, runs, name));
      await makeDirectory(join(directory, 'tmp'));
      return directory;
    },
    recordEngine: (engine) => writeFileDurably(join(path, engineFile), JSON.stringify(engine)),
    forgetEngine: () => rm(join(path, engineFile), { force: true }),
    clear: () => removeTree(join(path, runs)),
    [Symbol.asyncDispose]: () => lock.release(),
  };
}

/**
 * Ends every engine that a dead process left running in a store, and removes data without a job. Directories of other live processes
 * stay.
 * @param isWanted whether a job for a model may reuse the data
 */
export async function tidyPlaces(layout: Pick<StoreLayout, 'optimizations'>, isWanted: (targetId: ModelId) => boolean): Promise<void> {
  for (const name of await namesIn(placesOf(layout))) {
    const targetId = modelIdOfDirectory(name);
    if (targetId === undefined) continue;
    const path = placeOf(layout, targetId);
    const held = await tryLock(join(path, 'lock'), 'tidying up');
    if (!isHeld(held)) continue;
    try {
      await endRecorded(path);
      if (!isWanted(targetId)) await removeTree(join(path, runs));
    } finally {
      await held.release();
    }
  }
}

/** The size of a run's files, in bytes; files that an engine removes in the meantime do not count. */
export async function bytesBelow(directory: string): Promise<number> {
  const paths = await readdir(directory, { recursive: true });
  const sizes = await mapConcurrently(paths, maxOpenFiles, async (path) => {
    const info = await lstat(join(directory, path)).catch(() => undefined);
    return info?.isFile() === true ? info.size : 0;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Whether another process makes a model. */
export const holderOfPlace = (layout: Pick<StoreLayout, 'optimizations'>, targetId: ModelId): string =>
  join(placeOf(layout, targetId), 'lock');

async function endRecorded(path: string): Promise<void> {
  const file = join(path, engineFile);
  const engine = await readEngine(file);
  if (engine !== undefined) await endLeftEngine(engine);
  await rm(file, { force: true });
}

/** An unreadable record means no process. */
async function readEngine(file: string): Promise<ProcessOnMachine | undefined> {
  try {
    const { pid, startTime, hostname, namespace } = JSON.parse(await readFile(file, 'utf8')) as Partial<Record<string, unknown>>;
    if (!Number.isSafeInteger(pid) || Number(pid) <= 1 || typeof startTime !== 'string' || typeof hostname !== 'string') return undefined;
    return { pid: Number(pid), startTime, hostname, ...(typeof namespace === 'string' && { namespace }) };
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
