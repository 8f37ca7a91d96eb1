import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import type { Emit } from '../kernel/flow/events.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { Job } from './job-state.ts';

const maxBytes = 64 * 1024;

/** How the jobs of a kind are written down, one JSON file for each model. */
export interface JobStorage<Request, Details> {
  readonly directory: string;
  readonly encode: (job: Job<Request, Details>) => object;
  /** @throws SkulkError INTEGRITY when it is no job */
  readonly decode: (value: unknown) => Job<Request, Details>;
  /** Asked before each write: rejects when another process has taken the lock of the store. */
  readonly assertHeld?: (() => Promise<void>) | undefined;
}

/** The jobs of a queue on the disk. A power cut leaves the old state of a job or the new one. */
export interface JobRecords<Request, Details> {
  /** Every job on the disk, oldest first. One that cannot be read is named in a warning, and stays. */
  readAll(): Promise<readonly Job<Request, Details>[]>;
  /** Writes a job as it is when its turn comes; writes of one model never overtake each other. */
  write(modelId: ModelId, current: () => Job<Request, Details>): Promise<void>;
  /** Removes the record of a model, after the writes that were asked for before. */
  remove(modelId: ModelId): Promise<void>;
}

/** Nothing is read or written before it is asked for. */
export function createJobRecords<Request, Details>(
  { directory, encode, decode, assertHeld }: JobStorage<Request, Details>,
  emit: Emit,
): JobRecords<Request, Details> {
  const fileOf = (modelId: ModelId): string => join(directory, `${directoryName(modelId)}.json`);
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
    if (fileOf(job.modelId) !== path) throw new SkulkError('INTEGRITY', 'it belongs to another model');
    return job;
  };
  return {
    readAll: async () => {
      const jobs: Job<Request, Details>[] = [];
      for (const name of await namesIn(directory)) {
        const path = join(directory, name);
        try {
          jobs.push(await read(path));
        } catch (error) {
          const message = `${path} cannot be used: ${(error as Error).message}`;
          emit({ type: 'warning', message, hint: 'remove it, then download the model again' });
        }
      }
      return jobs.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
    },
    write: (modelId, current) =>
      inOrder(modelId, async () => {
        await assertHeld?.();
        await writeFileDurably(fileOf(modelId), JSON.stringify(encode(current())));
      }),
    remove: (modelId) => inOrder(modelId, () => rm(fileOf(modelId), { force: true })),
  };
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
}
