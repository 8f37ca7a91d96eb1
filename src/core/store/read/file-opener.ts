import { join } from 'node:path';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { RegistryEntry } from '../../protocol/models/entries.ts';
import type { ModelHasher } from '../ingest/model-hasher.ts';
import type { OpenFile } from '../local-store.ts';
import type { KnownManifest } from '../records/model-records.ts';
import { createFileRechecker } from '../records/recheck-file.ts';
import { createShortCache } from '../records/short-cache.ts';
import type { StoreIndex } from '../store-index.ts';
import { openModelFile } from './open-model-file.ts';

/** The data for a request of one file. */
interface FoundModel {
  readonly entry: RegistryEntry;
  readonly known: KnownManifest | undefined;
}

/**
 * Opens files of models; see `LocalStore.openFile`.
 * @param isServer whether this process is the only writer, so that a recent result counts
 */
export function createFileOpener(
  index: StoreIndex,
  { hasher, isServer, signal }: { readonly hasher: ModelHasher; readonly isServer: boolean; readonly signal: AbortSignal },
): (modelId: ModelId, path: string) => Promise<OpenFile> {
  const { layout, records, writer } = index;
  const cache = createShortCache<ModelId, FoundModel>();
  index.onChange(cache.onChange);
  const recheck = createFileRechecker(signal, (modelId, { path, sha256 }, now) =>
    writer.write(async () => {
      const known = await records.read(modelId);
      await writer.assertHeld();
      if (known?.byPath.get(path)?.sha256 === sha256) await records.writeSeen(known.manifest, { ...known.seen, [path]: now });
    }),
  );
  const find = async (modelId: ModelId): Promise<FoundModel> => {
    const entry = await index.entryOf(modelId);
    return { entry, known: await records.read(modelId) };
  };
  const open = async (modelId: ModelId, path: string): Promise<OpenFile> => {
    // For a model with thousands of files, only the requested file itself is checked each time.
    const { entry, known } = await (isServer ? cache.find(modelId, () => find(modelId)) : find(modelId));
    if (known === undefined) {
      hasher.hashLater(entry);
      if (!entry.files.includes(path))
        throw new SkulkError('FILE_NOT_FOUND', `${modelId} has no such file`, { hint: '`skulk show` lists its files' });
    }
    try {
      return await openModelFile({ modelId, path, directory: join(layout.root, entry.store_path), known }, recheck);
    } catch (error) {
      // The model may have been replaced between reading its manifest and opening its file, which may explain any failure.
      await writer.settled(modelId);
      const now = await records.read(modelId);
      if (now?.manifest.digest === known?.manifest.digest || signal.aborted) throw error;
      return open(modelId, path);
    }
  };
  return open;
}
