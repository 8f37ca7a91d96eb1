import { diskRoom, requireRoom, storeReserve } from '../../transfer/disk-room.ts';
import { removedUpload, type Upload } from './upload.ts';
import { checkShare, idleUploads, reservedBytes } from './upload-bounds.ts';
import type { UploadTable } from './upload-table.ts';

/** Removes idle uploads until the space reserved for others and `bytes` more fit. @param but is not removed */
export async function makeRoom(table: UploadTable, bytes: number, but?: Upload): Promise<void> {
  const { layout, world, now } = table;
  const others = table.open().filter(({ upload }) => upload !== but);
  for (const { upload } of idleUploads(others, now())) {
    const room = await diskRoom(layout.root);
    const taken = reservedBytes(others, now());
    if (room.free - taken - bytes >= storeReserve(room)) return;
    await table.remove(upload, removedUpload(upload, 'its space was needed'));
    world.emit({ type: 'note', message: `removed an idle upload of ${upload.record.model_id}, because its space was needed` });
  }
}

/**
 * Reserves space for an upload, in addition to the space reserved for others.
 * @param but the upload itself, if it is resumed
 * @throws SkulkError NO_SPACE
 */
export async function promiseRoom(
  table: UploadTable,
  {
    from,
    bytes,
    modelId,
    but,
  }: { readonly from: string; readonly bytes: number; readonly modelId: string; readonly but: Upload | undefined },
): Promise<void> {
  const { layout, now } = table;
  await makeRoom(table, bytes, but);
  const others = table.open().filter(({ upload }) => upload !== but);
  const { free } = await diskRoom(layout.root);
  checkShare({ bytes, room: free, from }, others, now());
  await requireRoom(layout.root, bytes + reservedBytes(others, now()), `adding ${modelId}, beside the other uploads,`, { isStore: true });
}
