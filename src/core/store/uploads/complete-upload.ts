import { join } from 'node:path';
import { SkulkError } from '../../kernel/errors.ts';
import { renameDurably } from '../../kernel/files/durable-file.ts';
import type { Adopted } from '../../protocol/models/adoption.ts';
import { syncFile } from '../../transfer/sync-file.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import type { AdoptRequest, WorkOptions } from '../contract.ts';
import { abandonPlace, makeIncomingPlace } from '../ingest/incoming.ts';
import { readPieceTable } from '../read/piece-table.ts';
import type { HostUploads, UploadRef } from '../upload-contract.ts';
import { presentManifest } from './announce-upload.ts';
import { noUpload, type Upload } from './upload.ts';
import { makeFile } from './upload-files.ts';
import { uploadPaths } from './upload-record.ts';
import type { UploadTable } from './upload-table.ts';

/** See `Uploads.complete`. */
export function createCompleter(table: UploadTable): HostUploads['complete'] {
  return async (request, options) => {
    const { modelId, digest, force, revision } = request;
    const upload = table.find(request);
    if (upload?.completing !== undefined)
      return upload.completing.catch((error: unknown) => {
        // The first caller has disconnected.
        throw error instanceof SkulkError && error.code === 'INTERRUPTED' && !options.signal.aborted ? noUpload(modelId) : error;
      });
    if (upload?.have === undefined) return completedBefore(table, request);
    const missing = upload.record.pieces - upload.have.count();
    if (missing > 0)
      throw new SkulkError('CONFLICT', `${missing} pieces of ${modelId} are missing`, { hint: 'run `skulk add` again to continue' });
    const wanted = { modelId, digest, force, ...(revision !== undefined && { revision }) };
    upload.completing = adopt(table, upload, wanted, options).finally(() => {
      table.byKey.delete(upload.key);
      table.changed();
    });
    return upload.completing;
  };
}

/** Another sender of the same model may have been faster. Throws JOB_NOT_FOUND otherwise. */
async function completedBefore({ store }: UploadTable, { modelId, digest }: UploadRef): Promise<Adopted> {
  if ((await presentManifest(store, modelId))?.digest !== digest) throw noUpload(modelId);
  const entry = (await store.listModels()).find((known) => known.model_id === modelId);
  if (entry === undefined) throw noUpload(modelId);
  return { entry, digest, outcome: 'unchanged' };
}

async function adopt(
  { store, layout }: UploadTable,
  { place }: Upload,
  request: Omit<AdoptRequest, 'incoming'>,
  options: WorkOptions,
): Promise<Adopted> {
  const { files, table: tablePath } = uploadPaths(place);
  const table = await readPieceTable(tablePath);
  for (let number = 0; number < table.files; number += 1) {
    const { path, size } = table.file(number);
    // An empty file has no piece that would have created it.
    if (size === 0) await makeFile(join(files, path), 0);
    await syncFile(join(files, path));
  }
  const incoming = await makeIncomingPlace(layout, request.modelId, files);
  try {
    await renameDurably(files, incoming.files);
    const adopted = await store.adopt({ ...request, incoming: incoming.name }, options);
    await removeTree(place);
    return adopted;
  } catch (error) {
    await abandonPlace(incoming.path).catch(() => undefined);
    throw error;
  }
}
