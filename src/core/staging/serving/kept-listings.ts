import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { namesIn } from '../../kernel/files/if-present.ts';
import { directoryName, type ModelId, modelIdOfDirectory } from '../../kernel/model-id.ts';
import type { StagingLayout } from '../layout.ts';
import { createFileMemory } from './file-memory.ts';

/** The store's answers about the models staged here, for the time when the store is unreachable (docs/on-disk-format.md, "On a node"). */
export interface KeptListings {
  /** The saved answer; undefined if it is missing or unreadable. The same object until the file changes. */
  read(modelId: ModelId): Promise<unknown>;
  write(modelId: ModelId, value: object): Promise<void>;
  /** Removes the answers about all other models. */
  keepOnly(models: readonly ModelId[]): Promise<void>;
}

/** The number of answers kept in memory. */
const maxKnown = 64;

/** See `KeptListings`. Nothing depends on them: without one, a copy is described by its own record. */
export function createKeptListings({ hub }: Pick<StagingLayout, 'hub'>): KeptListings {
  const pathOf = (modelId: ModelId): string => join(hub, `${directoryName(modelId)}.json`);
  const known = createFileMemory<ModelId, unknown>(maxKnown);
  return {
    read: (modelId) => known.read(modelId, pathOf(modelId), () => readJson(pathOf(modelId))),
    write: (modelId, value) => writeFileDurably(pathOf(modelId), JSON.stringify(value)),
    keepOnly: async (models) => {
      const kept = new Set(models);
      for (const name of await namesIn(hub)) {
        const modelId = modelIdOfDirectory(name.replace(/\.json$/, ''));
        if (modelId === undefined || kept.has(modelId)) continue;
        known.forget(modelId);
        await rm(pathOf(modelId), { force: true });
      }
    },
  };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
