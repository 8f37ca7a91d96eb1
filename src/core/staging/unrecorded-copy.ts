import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeManifest } from '../catalog/manifest.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { ManifestFile } from '../protocol/manifest.ts';
import { runHashJob } from '../transfer/hashing/hash-pool.ts';
import { copyPath, type StagingLayout } from './layout.ts';
import type { LocalCopy } from './local-copy.ts';
import { inspectPlace } from './own-copy.ts';

/**
 * Hashes the wanted files of a copy that the Python program staged without a record, so that only different files must be fetched.
 * Undefined if there is no such copy, or it has none of the files.
 * @param files only files of the same size can be the same
 * @param onFound called before the hashing, which may take minutes
 */
export async function readUnrecorded(
  layout: StagingLayout,
  modelId: ModelId,
  {
    files,
    signal,
    onFound,
  }: {
    readonly files: readonly { readonly path: RelativePath; readonly size: number }[];
    readonly signal: AbortSignal;
    readonly onFound: () => void;
  },
): Promise<Pick<LocalCopy, 'manifest' | 'changed'> | undefined> {
  const directory = copyPath(layout, modelId);
  const place = await inspectPlace(directory, modelId);
  if (place.is !== 'ours' || place.record !== undefined) return undefined;
  onFound();
  const found: ManifestFile[] = [];
  for (const { path, size } of files) {
    const absolute = join(directory, path);
    const isSame = await lstat(absolute).then(
      (info) => info.isFile() && info.size === size,
      () => false,
    );
    if (!isSame) continue;
    const digest = await runHashJob({ kind: 'digest', path: absolute }, { signal }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      // Unreadable files must be fetched.
      return undefined;
    });
    if (digest === undefined) continue;
    const { sha256, chunks } = digest;
    found.push({ path, size, sha256, ...(chunks !== undefined && { chunks }) });
  }
  if (found.length === 0) return undefined;
  return { manifest: makeManifest(modelId, found, { source: 'adopted', createdAt: new Date(0) }), changed: new Set() };
}
