import { join } from 'node:path';
import { sweepHourly } from '../../kernel/flow/sweep-hourly.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import { makeRoom } from './make-room.ts';
import { removedUpload } from './upload.ts';
import { listStoredUploads } from './upload-record.ts';
import type { UploadTable } from './upload-table.ts';

/** Removes old uploads, now and every hour. @returns a handle that stops it */
export const sweepUploads = (table: UploadTable): AsyncDisposable =>
  sweepHourly(() => sweep(table), { what: 'unfinished uploads', emit: table.world.emit });

async function sweep(table: UploadTable): Promise<void> {
  const { layout, now } = table;
  await table.ready;
  const { others } = await listStoredUploads(layout.uploads);
  const { staleAfterMs } = await table.limits();
  for (const name of others) {
    const place = join(layout.uploads, name);
    if (table.busyPlaces.has(place)) continue;
    // A directory with any other name belongs to a user.
    if (/^\.(?:draft|gone)-[0-9a-f]{16}$/.test(name)) await removeTree(place);
  }
  for (const { upload, lastByteAt } of table.open())
    if (now() - lastByteAt > staleAfterMs) await table.remove(upload, removedUpload(upload, 'nobody continued it'));
  await makeRoom(table, 0);
}
