import { join } from 'node:path';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import { makeRoom } from './make-room.ts';
import { removedUpload } from './upload.ts';
import { listStoredUploads } from './upload-record.ts';
import type { UploadTable } from './upload-table.ts';

/** How often old uploads are removed, in milliseconds. */
const sweepEveryMs = 3600_000;

/** Removes old uploads, now and at intervals. @returns a handle that ends it */
export function sweepUploads(table: UploadTable): AsyncDisposable {
  let swept: Promise<void> = Promise.resolve();
  const sweepSafely = (): void => {
    swept = sweep(table).catch((error: unknown) =>
      table.world.emit({ type: 'warning', message: describeFailure('cannot remove unfinished uploads', error) }),
    );
  };
  sweepSafely();
  const sweeping = setInterval(sweepSafely, sweepEveryMs);
  sweeping.unref();
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(sweeping);
      await swept;
    },
  };
}

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
