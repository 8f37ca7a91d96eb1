import { join } from 'node:path';
import { chunkSize } from '../../kernel/chunk-size.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { quote } from '../../kernel/files/relative-path.ts';
import { mapConcurrently } from '../../kernel/flow/concurrency.ts';
import type { ModelId } from '../../kernel/model-id.ts';
import type { Manifest, ManifestFile } from '../../protocol/manifest.ts';
import { explainUnhashable, runHashJob } from '../../transfer/hashing/hash-pool.ts';
import { noModel } from '../no-model.ts';
import { answerManifest } from '../read/answer-manifest.ts';
import type { StoreIndex } from '../store-index.ts';
import type { ModelHasher } from './model-hasher.ts';

/** Computes the git ids that manifests of earlier skulk versions lack; see `LocalStore.identify`. */
export interface GitIds {
  /** The manifest with the id of every small file. Concurrent calls share one computation. Undefined for a model without a manifest. */
  complete(modelId: ModelId): Promise<Manifest | undefined>;
}

/** The number of files hashed at the same time. */
const atATime = 4;

/** @param signal aborts all work */
export function createGitIds(index: StoreIndex, signal: AbortSignal): GitIds {
  // Avoids checking each of 50,000 files for each request.
  const complete = new WeakSet<Manifest>();
  const isComplete = (manifest: Manifest): boolean => {
    if (!complete.has(manifest) && manifest.files.every(hasId)) complete.add(manifest);
    return complete.has(manifest);
  };
  const running = new Map<ModelId, Promise<Manifest | undefined>>();
  return {
    complete: async (modelId) => {
      const known = await index.records.read(modelId);
      if (known === undefined || isComplete(known.manifest)) return known?.manifest;
      const work = running.get(modelId) ?? addIds(modelId, known.manifest, index, signal).finally(() => running.delete(modelId));
      running.set(modelId, work);
      return work;
    },
  };
}

/** See `LocalStore.identify`. */
export async function identifyModel(
  modelId: ModelId,
  { index, hasher, gitIds }: { readonly index: StoreIndex; readonly hasher: ModelHasher; readonly gitIds: GitIds },
): Promise<Manifest> {
  const answer = await answerManifest(modelId, {}, { index, hasher, cardOf: async () => undefined, problemsOf: async () => [] });
  if (answer.state === 'hashing')
    throw new SkulkError('STORE_BUSY', `${modelId} is being hashed`, { hint: 'try again in a moment', retryAfterMs: answer.retryAfterMs });
  const manifest = await gitIds.complete(modelId);
  if (manifest === undefined) throw noModel(modelId);
  return manifest;
}

/** Every repo keeps a larger file in LFS, where its id is the sha256. */
const hasId = ({ size, hub_id }: ManifestFile): boolean => hub_id !== undefined || size > chunkSize;

/** Adds the ids to a model's manifest. Its digest stays, because ids are not part of it. */
async function addIds(modelId: ModelId, manifest: Manifest, index: StoreIndex, signal: AbortSignal): Promise<Manifest | undefined> {
  const { layout, records, writer } = index;
  const directory = join(layout.root, (await index.entryOf(modelId)).store_path);
  const missing = manifest.files.filter((file) => !hasId(file));
  const ids = new Map<string, string>();
  await mapConcurrently(missing, atATime, async (file) => {
    ids.set(file.path, await gitIdOf(file, { modelId, absolute: join(directory, file.path), signal }));
  });
  return writer.write(async () => {
    const now = await records.read(modelId);
    // The model was replaced in the meantime, and its ids were written then.
    if (now?.manifest.digest !== manifest.digest) return now?.manifest;
    const files = now.manifest.files.map((file) => {
      const id = hasId(file) ? undefined : ids.get(file.path);
      return id === undefined ? file : { ...file, hub_id: id };
    });
    const upstream = await records.upstream(modelId);
    await writer.assertHeld();
    await records.write({ ...now.manifest, files }, { seen: now.seen, upstream });
    return (await records.read(modelId))?.manifest;
  });
}

/** Throws INTEGRITY if the file does not match its manifest. */
async function gitIdOf(
  { path, sha256 }: ManifestFile,
  { modelId, absolute, signal }: { readonly modelId: ModelId; readonly absolute: string; readonly signal: AbortSignal },
): Promise<string> {
  const found = await runHashJob({ kind: 'digest', path: absolute, withGitId: true }, { signal }).catch((error: unknown) => {
    throw explainUnhashable(error, absolute);
  });
  if (found.sha256 === sha256 && found.gitId !== undefined) return found.gitId;
  throw new SkulkError('INTEGRITY', `${quote(path)} of ${modelId} changed on the disk after it was hashed`, {
    hint: 'run `skulk verify` on the store host',
  });
}
