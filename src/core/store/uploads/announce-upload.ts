import { createHash, randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { isDirectory } from '../../kernel/files/is-there.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { createSerialQueue } from '../../kernel/flow/serial-queue.ts';
import { mapYielding } from '../../kernel/flow/yielding.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import { hasOtherContent } from '../ingest/adopt-checks.ts';
import type { Announced } from '../ingest/read-announcement.ts';
import type { LocalStore } from '../local-store.ts';
import { readPieceTable } from '../read/piece-table.ts';
import type { HostUploads, Sender } from '../upload-contract.ts';
import { promiseRoom } from './make-room.ts';
import { receiveManifest } from './receive-manifest.ts';
import { answerMissing, scanOnce } from './scan-pieces.ts';
import { noUpload, removedUpload, type Upload } from './upload.ts';
import { planPlace } from './upload-bounds.ts';
import { newSecret, type UploadRecord, uploadPaths, writeRecord } from './upload-record.ts';
import type { UploadTable } from './upload-table.ts';

/** See `HostUploads.announce`. */
export function createAnnouncer(table: UploadTable): HostUploads['announce'] {
  const { store, layout, busyPlaces } = table;
  /** One after the other, because space is reserved only once. */
  const beginnings = createSerialQueue();
  return async (manifest, { modelId, sender, force, signal }) => {
    await table.ready;
    const draft = join(layout.uploads, `.draft-${randomBytes(8).toString('hex')}`);
    busyPlaces.add(draft);
    try {
      const announced = await receiveManifest(manifest, { modelId, draft }, signal);
      const present = await presentManifest(store, modelId);
      if (present !== undefined && present.digest !== announced.digest && !force) throw hasOtherContent(modelId);
      await store.requirePlace(modelId);
      const pieces = await readPieceTable(uploadPaths(draft).table);
      const paths = await mapYielding(numbersBelow(pieces.files), (number) => pieces.file(number).path);
      await requireDistinctNames(store.root, { paths, of: modelId });
      const upload = await beginnings.run(() => begin(table, draft, announced, sender));
      await scanOnce(table, upload, present, signal);
      return await answerMissing(upload);
    } catch (error) {
      throw isSystemError(error, 'ENOENT') ? noUpload(modelId) : error;
    } finally {
      await removeTree(draft).catch(() => undefined);
      busyPlaces.delete(draft);
    }
  };
}

/** Finds the upload of the same content, or creates one. */
async function begin(table: UploadTable, draft: string, announced: Announced, sender: Sender): Promise<Upload> {
  const { model_id, digest, bytes } = announced;
  const key = createHash('sha256').update(`${model_id}\0${digest}\0${announced.table}`).digest('hex').slice(0, 32);
  const known = table.byKey.get(key);
  if (known !== undefined && (await isDirectory(known.place))) {
    const { from, bytes_total } = known.record;
    await promiseRoom(table, { from, bytes: bytes_total - known.bytesDone, modelId: model_id, but: known });
    return known;
  }
  await displaceOther(table, key, sender);
  await promiseRoom(table, { from: sender.address, bytes, modelId: model_id, but: known });
  const record = makeRecord(announced, sender, table.world.now());
  const place = join(table.layout.uploads, key);
  await makeDirectory(uploadPaths(draft).files);
  await writeRecord(draft, record);
  await rename(draft, place);
  const upload: Upload = { key, record, place, bytesDone: 0, lastByteAt: table.now(), writing: new Map() };
  table.byKey.set(key, upload);
  table.changed();
  return upload;
}

/** If too many uploads are open, removes another one. Throws STORE_BUSY. */
async function displaceOther(table: UploadTable, key: string, sender: Sender): Promise<void> {
  const { open: maxOpen } = await table.limits();
  const others = table.open().filter((other) => other.key !== key);
  const leaving = planPlace(others, sender.address, table.now(), maxOpen);
  const displaced = leaving === undefined ? undefined : table.byKey.get(leaving);
  if (displaced !== undefined) await table.remove(displaced, removedUpload(displaced, 'its place was needed for another upload'));
}

const makeRecord = ({ model_id, digest, files, pieces, bytes }: Announced, { address, who }: Sender, now: Date): UploadRecord => ({
  version: 1,
  secret: newSecret(),
  model_id,
  digest,
  files,
  pieces,
  bytes_total: bytes,
  from: address,
  who,
  began_at: now.toISOString(),
});

/** The store's manifest of the model. Throws STORE_BUSY while it is being hashed. */
export async function presentManifest(store: LocalStore, modelId: Manifest['model_id']): Promise<Manifest | undefined> {
  if (!(await store.has(modelId))) return undefined;
  for (;;) {
    const known = await store.manifest(modelId);
    if (known.state === 'ready') return known.manifest;
    if (known.state === 'hashing')
      throw new SkulkError('STORE_BUSY', `${modelId} is being hashed`, { hint: 'try again in a moment', retryAfterMs: known.retryAfterMs });
  }
}

function* numbersBelow(end: number): Generator<number> {
  for (let number = 0; number < end; number += 1) yield number;
}
