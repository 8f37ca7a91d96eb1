import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import type { Emit } from '../kernel/flow/events.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { Job } from './job-state.ts';

const maxBytes = 64 * 1024;

/** How the jobs of a kind are written down, one JSON file for each. */
export interface JobStorage<Request, Details> {
  readonly directory: string;
  readonly encode: (job: Job<Request, Details>) => object;
  /** @throws SkulkError INTEGRITY when it is no job */
  readonly decode: (value: unknown) => Job<Request, Details>;
  /** The name of a job's file without `.json`: of its model's directory when absent, or one that begins so and no model has. */
  readonly nameOf?: (job: Job<Request, Details>) => string;
  /** Asked before each write: rejects when another process has taken the lock of the store. */
  readonly assertHeld?: (() => Promise<void>) | undefined;
}

/** The jobs of a queue on the disk. A power cut leaves the old state of a job or the new one. */
export interface JobRecords<Request, Details> {
  /** Every job on the disk, oldest first. One that cannot be read is named in a warning, and stays. */
  readAll(): Promise<readonly Job<Request, Details>[]>;
  /** Writes a job as it is when its turn comes; writes of one model never overtake each other. */
  write(current: () => Job<Request, Details>): Promise<void>;
  /** Removes the record of a job, after the writes that were asked for before. */
  remove(job: Job<Request, Details>): Promise<void>;
}

/** Nothing is read or written before it is asked for. */
export function createJobRecords<Request, Details>(
  { directory, encode, decode, nameOf, assertHeld }: JobStorage<Request, Details>,
  emit: Emit,
): JobRecords<Request, Details> {
  const fileOf = (job: Job<Request, Details>): string => join(directory, `${nameOf?.(job) ?? directoryName(job.modelId)}.json`);
  const fileOfModel = (modelId: ModelId): string => join(directory, `${directoryName(modelId)}.json`);
  /** Jobs of a version that had one for each model: they have the model's file, which is not theirs any more. */
  const misplaced = new Map<string, Job<Request, Details>>();
  const last = new Map<ModelId, Promise<unknown>>();
  const inOrder = (modelId: ModelId, change: () => Promise<void>): Promise<void> => {
    const done = (last.get(modelId) ?? Promise.resolve()).then(change);
    const settled = done.catch(() => undefined);
    last.set(modelId, settled);
    void settled.then(() => {
      if (last.get(modelId) === settled) last.delete(modelId);
    });
    return done;
  };
  const read = async (path: string): Promise<Job<Request, Details>> => {
    const text = await readFile(path, 'utf8');
    if (text.length > maxBytes) throw new SkulkError('INTEGRITY', 'it is too long');
    const job = decode(JSON.parse(text));
    if (fileOf(job) === path) return job;
    if (fileOfModel(job.modelId) !== path) throw new SkulkError('INTEGRITY', 'it belongs to another model');
    misplaced.set(path, job);
    return job;
  };
  const writeOne = (job: Job<Request, Details>): Promise<void> => writeFileDurably(fileOf(job), JSON.stringify(encode(job)));
  /** Gives the file of a model free: what is there gets its own, unless that is about to be written. */
  const makeWay = async (job: Job<Request, Details>): Promise<void> => {
    const path = fileOfModel(job.modelId);
    const there = misplaced.get(path);
    if (there === undefined || fileOf(there) === fileOf(job)) return;
    // When it has its own already, a process was killed right after it had written that.
    if (!(await isThere(fileOf(there)))) await writeOne(there);
    misplaced.delete(path);
    if (fileOf(job) !== path) await rm(path, { force: true });
  };
  const removeMisplaced = async ({ modelId }: Job<Request, Details>): Promise<void> => {
    const path = fileOfModel(modelId);
    if (misplaced.delete(path)) await rm(path, { force: true });
  };
  return {
    readAll: async () => {
      const jobs = new Map<string, Job<Request, Details>>();
      for (const name of await namesIn(directory)) {
        const path = join(directory, name);
        try {
          const job = await read(path);
          // Of a job that was just getting a file of its own, that is the newer one.
          if (fileOf(job) === path || !jobs.has(fileOf(job))) jobs.set(fileOf(job), job);
        } catch (error) {
          const message = `${path} cannot be used: ${(error as Error).message}`;
          emit({ type: 'warning', message, hint: 'remove it, then download the model again' });
        }
      }
      return [...jobs.values()].toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
    },
    write: (current) =>
      inOrder(current().modelId, async () => {
        await assertHeld?.();
        const job = current();
        await makeWay(job);
        await writeOne(job);
        await removeMisplaced(job);
      }),
    remove: (job) =>
      inOrder(job.modelId, async () => {
        await makeWay(job);
        await rm(fileOf(job), { force: true });
        await removeMisplaced(job);
      }),
  };
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function namesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
}
