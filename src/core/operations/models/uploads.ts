import type { Deps } from '../../connect/deps.ts';
import { type OpenedStore, openStore } from '../../connect/open-store.ts';
import { SkulkError } from '../../kernel/errors.ts';
import { acquireLock } from '../../kernel/process/lock.ts';
import type { ListedUpload } from '../../protocol/uploads.ts';
import { storeLayout } from '../../store/layout.ts';
import type { LocalStore } from '../../store/local-store.ts';
import type { CancelOptions, UploadList } from '../../store/upload-contract.ts';
import { logUnserved } from '../store/log-change.ts';

/** The store's unfinished uploads. @throws SkulkError NOT_FOUND if the store does not support uploads */
export async function listUploads(deps: Deps): Promise<{ readonly uploads: readonly ListedUpload[] }> {
  await using opened = await openStore(deps);
  return { uploads: await withUploads(deps, opened, (uploads) => uploads.list()) };
}

/**
 * Removes an unfinished upload and its data.
 * @param id the sender's id, or the one in the list
 * @throws SkulkError JOB_NOT_FOUND; CONFLICT while the upload is being completed, or if the id is not that `of` the meant one; FORBIDDEN
 */
export async function cancelUpload(
  deps: Deps,
  { id, mayCancelOthers = true, of }: { readonly id: string } & Partial<CancelOptions>,
): Promise<ListedUpload> {
  await using opened = await openStore(deps);
  return await logUnserved(deps, opened, { action: 'cancel-upload' }, () =>
    withUploads(deps, opened, (uploads) => uploads.cancel(id, { mayCancelOthers, of })),
  );
}

async function withUploads<T>(deps: Deps, { uploads, store, url }: OpenedStore, work: (uploads: UploadList) => Promise<T>): Promise<T> {
  if (deps.uploads !== undefined) return work(deps.uploads);
  if (uploads !== undefined) return work(uploads);
  if (url !== undefined || deps.store !== undefined)
    throw new SkulkError('NOT_FOUND', `the store at ${store.location} has no uploads`, { hint: 'start `skulk serve` on the store host' });
  // No server is running, so the uploads on the disk cannot change meanwhile.
  const { signal } = deps.world;
  const local = store as LocalStore;
  await using _ = await acquireLock(storeLayout(local.root).lock, { purpose: 'skulk uploads', timeoutMs: 10_000, signal });
  const { createUploads } = await import('../../store/uploads/uploads.ts');
  await using own = createUploads(local, deps.world);
  return await work(own);
}
