import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrorCode, isSystemError, SkulkError } from '../kernel/errors.ts';
import { writeFileDurably } from '../kernel/files/durable-file.ts';
import type { Emit } from '../kernel/flow/events.ts';
import { directoryName, isModelId, type ModelId } from '../kernel/model-id.ts';
import type { DownloadStatus } from './contract.ts';

const statuses = ['pending', 'downloading', 'complete', 'failed'] as const;
const mostBytes = 64 * 1024;

/** Where a model's job stands. */
export const jobFile = (directory: string, modelId: ModelId): string => join(directory, `${directoryName(modelId)}.json`);

/** Writes a job down, so that a power cut leaves the old state or this one. */
export const writeJob = (directory: string, job: DownloadStatus): Promise<void> =>
  writeFileDurably(jobFile(directory, job.modelId), JSON.stringify({ version: 1, ...job }));

/** Forgets a job. */
export const removeJob = (directory: string, modelId: ModelId): Promise<void> => rm(jobFile(directory, modelId), { force: true });

/** Every job on the disk, oldest first. One that cannot be read is named and left where it is. */
export async function readJobs(directory: string, emit: Emit): Promise<readonly DownloadStatus[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  });
  const jobs: DownloadStatus[] = [];
  for (const name of names.filter((one) => one.endsWith('.json') && !one.startsWith('.'))) {
    const path = join(directory, name);
    try {
      const text = await readFile(path, 'utf8');
      if (text.length > mostBytes) throw new SkulkError('INTEGRITY', 'it is too long');
      const job = parseJob(JSON.parse(text));
      if (jobFile(directory, job.modelId) !== path) throw new SkulkError('INTEGRITY', 'it is of another model');
      jobs.push(job);
    } catch (error) {
      emit({
        type: 'warning',
        message: `${path} cannot be used: ${(error as Error).message}`,
        hint: 'remove it, then ask for the model again',
      });
    }
  }
  return jobs.toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
}

function parseJob(value: unknown): DownloadStatus {
  const job = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { modelId, bytes_done, bytes_total, error_code } = job;
  const status = statuses.find((known) => known === job['status']);
  if (typeof modelId !== 'string' || !isModelId(modelId) || status === undefined) throw new SkulkError('INTEGRITY', 'it is no job');
  const text = (key: string): string | null => (typeof job[key] === 'string' ? job[key] : null);
  const count = (bytes: unknown): number => (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : 0);
  return {
    modelId,
    status,
    progress: typeof job['progress'] === 'number' ? Math.min(1, Math.max(0, job['progress'])) : 0,
    error: text('error'),
    bytes_done: count(bytes_done),
    bytes_total: count(bytes_total),
    bytes_per_second: null,
    seconds_left: null,
    error_code: isErrorCode(error_code) ? error_code : null,
    hint: text('hint'),
    revision: text('revision'),
    commit: text('commit'),
    gguf_file: text('gguf_file'),
    selector: text('selector'),
    exact: job['exact'] === true,
    created_at: text('created_at') ?? '',
    updated_at: text('updated_at') ?? '',
  };
}
