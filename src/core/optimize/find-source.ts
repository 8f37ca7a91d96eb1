import { join } from 'node:path';
import { SkulkError } from '../kernel/errors.ts';
import { pause } from '../kernel/flow/backoff.ts';
import { mapConcurrently, maxOpenFiles } from '../kernel/flow/concurrency.ts';
import type { ModelId } from '../kernel/model-id.ts';
import { noSuchModel } from '../kernel/no-such-model.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { LocalStore } from '../store/local-store.ts';

/** The source model of a variant, in the store. */
export interface Source {
  readonly manifest: Manifest;
  /** An absolute path. */
  readonly directory: string;
}

/**
 * @param digest the digest of the manifest that the model must still have
 * @throws SkulkError MODEL_NOT_FOUND; CONFLICT, with retryAfterMs, while it is being hashed, or if it was replaced; INTEGRITY
 */
export async function findSource(
  store: LocalStore,
  modelId: ModelId,
  { digest, signal }: { readonly digest?: string | undefined; readonly signal: AbortSignal },
): Promise<Source> {
  const entries = await store.listModels();
  const entry = entries.find(({ model_id }) => model_id === modelId);
  if (entry === undefined)
    throw noSuchModel(
      modelId,
      `in the store at ${store.location}`,
      entries.map(({ model_id }) => model_id),
    );
  const answer = await store.manifest(modelId, { signal });
  if (answer.state === 'ready') {
    if (digest !== undefined && answer.manifest.digest !== digest)
      throw new SkulkError('CONFLICT', `${modelId} was replaced in the meantime`, { hint: 'run `skulk optimize` again' });
    return { manifest: answer.manifest, directory: join(store.root, entry.store_path) };
  }
  throw new SkulkError('CONFLICT', `${modelId} is being hashed`, {
    hint: 'try again in a moment',
    ...(answer.state === 'hashing' && { retryAfterMs: answer.retryAfterMs }),
  });
}

/**
 * Checks that a source's files are those that were hashed.
 * @throws SkulkError INTEGRITY if one has changed on the disk; CONFLICT if the model was replaced
 */
export async function requireUnchanged(
  store: LocalStore,
  { manifest }: Source,
  { paths, signal }: { readonly paths: readonly string[]; readonly signal: AbortSignal },
): Promise<void> {
  const { model_id: modelId, digest } = manifest;
  await findSource(store, modelId, { digest, signal });
  await mapConcurrently(paths, maxOpenFiles, (path) => requireFile(store, { modelId, path, signal }));
}

async function requireFile(
  store: LocalStore,
  { modelId, path, signal }: { readonly modelId: ModelId; readonly path: string; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    try {
      await using _ = await store.openFile(modelId, path);
      return;
    } catch (error) {
      // Its date changed, so it is being hashed again.
      if (!(error instanceof SkulkError) || error.code !== 'STORE_BUSY') throw error;
      await pause(error.retryAfterMs ?? 1000, signal);
    }
  }
}
