import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../../kernel/errors.ts';
import { writeFileDurably } from '../../../kernel/files/durable-file.ts';
import { isRelativePath } from '../../../kernel/files/relative-path.ts';
import { createSerialQueues } from '../../../kernel/flow/serial-queue.ts';
import { directoryName, type ModelId } from '../../../kernel/model-id.ts';

/**
 * The files of models that were fetched for Hub clients, with their sizes. It outlives the process (docs/on-disk-format.md, "fetched/").
 */
export interface FetchedFiles {
  /** Sizes in bytes by path. An unreadable record counts as empty. */
  of(modelId: ModelId): Promise<ReadonlyMap<string, number>>;
  /** Settles after it is saved. Throws the disk's error. */
  add(modelId: ModelId, file: { readonly path: string; readonly size: number }): Promise<void>;
  /** The model was deleted. Never rejects. */
  forget(modelId: ModelId): Promise<void>;
}

/** A repo has at most 100,000 files, and a path has some hundred bytes. */
const maxBytes = 64 * 1024 * 1024;

/** @param directory contains one file per model */
export function createFetchedFiles(directory: string): FetchedFiles {
  const models = new Map<ModelId, Promise<Map<string, number>>>();
  const pathOf = (modelId: ModelId): string => join(directory, `${directoryName(modelId)}.json`);
  const of = (modelId: ModelId): Promise<Map<string, number>> => {
    const known = models.get(modelId) ?? read(pathOf(modelId));
    models.set(modelId, known);
    // After a disk error, the next call reads again.
    known.catch(() => models.delete(modelId));
    return known;
  };
  /** Writes of one model stay in order. */
  const writes = createSerialQueues<ModelId>();
  return {
    of,
    add: async (modelId, { path, size }) => {
      const files = await of(modelId);
      if (files.get(path) === size) return writes.idle(modelId);
      files.set(path, size);
      return writes.run(modelId, () =>
        writeFileDurably(pathOf(modelId), `${JSON.stringify({ version: 1, model_id: modelId, files: Object.fromEntries(files) })}\n`),
      );
    },
    forget: (modelId) =>
      writes.run(modelId, async () => {
        models.delete(modelId);
        await rm(pathOf(modelId), { force: true }).catch(() => undefined);
      }),
  };
}

async function read(path: string): Promise<Map<string, number>> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > maxBytes) return new Map();
    const { files } = JSON.parse(text) as { files?: unknown };
    if (typeof files !== 'object' || files === null) return new Map();
    return new Map(
      Object.entries(files).filter((one): one is [string, number] => isRelativePath(one[0]) && Number.isSafeInteger(one[1]) && one[1] >= 0),
    );
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || error instanceof SyntaxError || error instanceof TypeError) return new Map();
    throw error;
  }
}
