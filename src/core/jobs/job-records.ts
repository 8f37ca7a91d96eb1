import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import { namesIn } from '../kernel/files/if-present.ts';
import { isThere } from '../kernel/files/is-there.ts';
import type { Emit } from '../kernel/flow/events.ts';
import { createSerialQueues } from '../kernel/flow/serial-queue.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { Job } from './job-state.ts';

const maxBytes = 64 * 1024;

/** How the jobs of a kind are saved, one JSON file for each. */
export interface JobStorage<Request, Details> {
  readonly directory: string;
  readonly encode: (job: Job<Request, Details>) => object;
  /** @throws SkulkError INTEGRITY for an invalid job */
  readonly decode: (value: unknown) => Job<Request, Details>;
  /**
   * The name of a job's file without `.json`. If absent, the name of its model's directory. It must start with that name, and no model
   * may have it.
   */
  readonly nameOf?: (job: Job<Request, Details>) => string;
  /** Called before each write; rejects if another process has taken the store's lock. */
  readonly assertHeld?: (() => Promise<void>) | undefined;
}

/** The jobs of a queue on the disk. A power cut leaves the old or the new state of a job. */
export interface JobRecords<Request, Details> {
  /** Every job on the disk, oldest first. An unreadable one is reported in a warning, and stays. */
  readAll(): Promise<readonly Job<Request, Details>[]>;
  /** Saves the current state of a job when its turn comes. Writes of one model stay in order. */
  write(current: () => Job<Request, Details>): Promise<void>;
  /** Removes the record of a job, after all earlier writes. */
  remove(job: Job<Request, Details>): Promise<void>;
}

/** Nothing is read or written before the first call. */
export function createJobRecords<Request, Details>(
  { directory, encode, decode, nameOf, assertHeld }: JobStorage<Request, Details>,
  emit: Emit,
): JobRecords<Request, Details> {
  const fileOf = (job: Job<Request, Details>): string => join(directory, `${nameOf?.(job) ?? directoryName(job.modelId)}.json`);
  const fileOfModel = (modelId: ModelId): string => join(directory, `${directoryName(modelId)}.json`);
  /** Jobs of a version with one job per model: they use the model's file, which now belongs to another job. */
  const misplaced = new Map<string, Job<Request, Details>>();
  const { run: inOrder } = createSerialQueues<ModelId>();
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
  /** Frees the file of a model: moves its job to a new file, unless that job is about to be written. */
  const makeWay = async (job: Job<Request, Details>): Promise<void> => {
    const path = fileOfModel(job.modelId);
    const there = misplaced.get(path);
    if (there === undefined || fileOf(there) === fileOf(job)) return;
    // If it already has its own file, a process was killed right after writing it.
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
      for (const name of await jobFilesIn(directory)) {
        const path = join(directory, name);
        try {
          const job = await read(path);
          // If a job was just getting its own file, that file is the newer one.
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

const jobFilesIn = async (directory: string): Promise<readonly string[]> =>
  (await namesIn(directory)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
