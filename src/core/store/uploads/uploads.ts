import { SkulkError } from '../../kernel/errors.ts';
import type { World } from '../../kernel/world.ts';
import type { ListedUpload } from '../../protocol/uploads.ts';
import type { LocalStore } from '../local-store.ts';
import type { CancelOptions, HostUploads } from '../upload-contract.ts';
import { createAnnouncer } from './announce-upload.ts';
import { createCompleter } from './complete-upload.ts';
import { createPiecePutter } from './put-piece.ts';
import { sweepUploads } from './sweep-uploads.ts';
import { handleOf, isSecretOf, listedUpload, removedUpload } from './upload.ts';
import { uploadBounds } from './upload-bounds.ts';
import { createUploadTable, type UploadLimits, type UploadTable } from './upload-table.ts';

const usualLimits: UploadLimits = { open: uploadBounds.open, staleAfterMs: uploadBounds.staleAfterMs };

/** Receives models from other machines into the store on this machine's disk. They are invisible until they are complete. */
export function createUploads(store: LocalStore, world: World, limits: () => Promise<UploadLimits> = async () => usualLimits): HostUploads {
  const table = createUploadTable(store, world, limits);
  const sweeping = sweepUploads(table);
  return {
    announce: createAnnouncer(table),
    put: createPiecePutter(table),
    complete: createCompleter(table),
    list: async () => {
      await table.ready;
      return [...table.byKey.values()].map(listedUpload).toSorted((a, b) => (a.began_at < b.began_at ? -1 : 1));
    },
    cancel: (id, options = { mayCancelOthers: true }) => cancelUpload(table, id, options),
    onChange: table.onChange,
    [Symbol.asyncDispose]: () => sweeping[Symbol.asyncDispose]() as Promise<void>,
  };
}

async function cancelUpload(table: UploadTable, id: string, { mayCancelOthers, of }: CancelOptions): Promise<ListedUpload> {
  await table.ready;
  const all = [...table.byKey.values()];
  const own = all.find((upload) => isSecretOf(upload, id));
  const upload = own ?? all.find((one) => handleOf(one) === id);
  if (upload === undefined)
    throw new SkulkError('JOB_NOT_FOUND', `there is no unfinished upload ${id.slice(0, 40)}`, { hint: '`skulk uploads` lists them' });
  if (own === undefined && !mayCancelOthers)
    throw new SkulkError('FORBIDDEN', 'only an admin may cancel an upload by the ID of the list', {
      hint: 'run `skulk uploads --cancel ID` on the store host, or use a token with the role admin',
    });
  if (of !== undefined && handleOf(upload) !== of)
    throw new SkulkError('CONFLICT', `that id belongs to an upload of ${upload.record.model_id}, so nothing was cancelled`, {
      hint: 'use the id that `skulk add` printed for this model',
    });
  if (upload.completing !== undefined)
    throw new SkulkError('CONFLICT', `all of ${upload.record.model_id} has arrived, and the model is being created`, {
      hint: '`skulk delete` removes a model',
    });
  const row = listedUpload(upload);
  await table.remove(upload, removedUpload(upload, 'it was cancelled'));
  return row;
}
