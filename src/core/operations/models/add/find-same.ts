import { digestFiles } from '../../../catalog/manifest.ts';
import type { Deps } from '../../../connect/deps.ts';
import type { OpenedStore } from '../../../connect/open-store.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { patient, retrying } from '../../../kernel/flow/backoff.ts';
import type { ModelId } from '../../../kernel/model-id.ts';
import type { Manifest } from '../../../protocol/manifest.ts';
import type { Adopted } from '../../../protocol/models/adoption.ts';
import type { OnBytes } from '../../../store/contract.ts';
import { hasOtherContent } from '../../../store/ingest/adopt-checks.ts';
import { type HashedModel, hashModel } from '../../../store/ingest/hash-model.ts';
import type { ScannedFile } from '../../../store/ingest/scan-directory.ts';
import { fetchManifest } from '../../stage/ask/fetch-manifest.ts';

/** The store's model, if it has the same content; and the digests of the files, if they had to be compared. */
export interface Compared {
  readonly same?: Adopted;
  readonly hashed?: HashedModel;
}

/**
 * Compares files with the model that the store has under their id, before anything is copied or sent: first their names and sizes, then,
 * if these are equal, their content.
 * @throws SkulkError CONFLICT for other content without `force`; FORBIDDEN, PERMISSION if the store does not take models from this caller
 */
export async function findSame(
  { deps, opened, onBytes }: { readonly deps: Deps; readonly opened: OpenedStore; readonly onBytes: OnBytes },
  { modelId, files, force }: { readonly modelId: ModelId; readonly files: readonly ScannedFile[]; readonly force: boolean },
): Promise<Compared> {
  const { store, url } = opened;
  const { isTransient } = await import('../../../client/http/transient.ts');
  const { entry = null, is_untouched: isUntouched = false } =
    (await retrying(() => store.findPlace({ modelId }), {
      policy: { ...patient, attempts: 6 },
      signal: deps.world.signal,
      isTransient: (error) => url !== undefined && isTransient(error),
    })) ?? {};
  if (entry === null) return {};
  const known = await fetchManifest(deps, opened, { modelId }).catch((error: unknown) => {
    // A model whose files are missing or damaged can still be replaced.
    if (error instanceof SkulkError && error.code === 'INTEGRITY') return { manifest: undefined };
    if (error instanceof SkulkError && error.code === 'MODEL_NOT_FOUND') return undefined;
    throw error;
  });
  // It was deleted in this moment.
  if (known === undefined) return {};
  const { manifest } = known;
  const other = (): Compared => {
    if (!force) throw hasOtherContent(modelId);
    return {};
  };
  if (manifest === undefined || !haveSameSizes(files, manifest)) return other();
  const hashed = await hashModel(files, { signal: deps.world.signal, onBytes });
  if (digestFiles(hashed.files) !== manifest.digest) return { ...other(), hashed };
  return { hashed, ...(isUntouched && { same: { entry, digest: manifest.digest, outcome: 'unchanged' } }) };
}

function haveSameSizes(files: readonly ScannedFile[], { files: listed }: Manifest): boolean {
  const sizes = new Map<string, number>(listed.map(({ path, size }) => [path, size]));
  return files.length === sizes.size && files.every(({ path, size }) => sizes.get(path) === size);
}
