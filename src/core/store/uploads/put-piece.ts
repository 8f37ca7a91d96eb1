import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { chunkSize } from '../../kernel/chunk-size.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { pause } from '../../kernel/flow/backoff.ts';
import { runHashJob } from '../../transfer/hashing/hash-pool.ts';
import { findPiece, type NumberedPiece } from '../read/piece-table.ts';
import type { HostUploads, MissingPiece } from '../upload-contract.ts';
import { presentManifest } from './announce-upload.ts';
import { addPiece, noUpload, type Upload } from './upload.ts';
import { notPromised, openForPiece, writePiece } from './upload-files.ts';
import { noteDone, uploadPaths } from './upload-record.ts';
import type { UploadTable } from './upload-table.ts';

/** A sender that sends nothing for this long gives way to another sender of the same piece, in milliseconds. */
const silenceMs = 5_000;

/** See `HostUploads.put`. */
export function createPiecePutter(table: UploadTable): HostUploads['put'] {
  const clearedAway = (upload: Upload): SkulkError => {
    table.byKey.delete(upload.key);
    table.changed();
    return noUpload(upload.record.model_id);
  };
  const whereIs = async (upload: Upload, which: MissingPiece): Promise<NumberedPiece> => {
    const found = await findPiece(uploadPaths(upload.place).table, which).catch((error: unknown) => {
      throw isSystemError(error, 'ENOENT') ? clearedAway(upload) : error;
    });
    if (found !== undefined) return found;
    throw new SkulkError('BAD_REQUEST', 'the manifest has no such piece', {
      hint: 'send the pieces that the answer to the manifest lists',
    });
  };
  return async (ref, which, bytes, signal) => {
    const upload = table.find(ref);
    if (upload?.have === undefined) {
      // Another sender of the same model may have been faster.
      const isPresent = (await presentManifest(table.store, ref.modelId))?.digest === ref.digest;
      // A sender that is still writing loses an answer whose connection closes, so it would not learn that it must announce the model again.
      await discardBytes(bytes);
      if (isPresent) return;
      throw noUpload(ref.modelId);
    }
    const { have } = upload;
    const numbered = await whereIs(upload, which);
    const { number, piece } = numbered;
    await waitForOthers(upload, number, signal);
    // A verified piece is not written again: the new bytes may be wrong.
    if (have.has(number)) return discardBytes(bytes);
    const ending = new AbortController();
    let lastByteAt = performance.now();
    const onBytes = (): void => {
      lastByteAt = performance.now();
      upload.lastByteAt = table.now();
    };
    const work = putPiece(upload.place, numbered, { bytes, onBytes }, AbortSignal.any([signal, ending.signal]));
    upload.writing.set(number, { ended: work.catch(() => undefined), lastByteAt: () => lastByteAt, giveUp: (why) => ending.abort(why) });
    try {
      await work;
    } catch (error) {
      throw isSystemError(error, 'ENOENT') ? clearedAway(upload) : error;
    } finally {
      upload.writing.delete(number);
    }
    addPiece(upload, have, number, piece.end - piece.start);
    table.changed();
  };
}

/** Waits while another sender sends the same piece. A silent sender gives way. */
async function waitForOthers({ writing, record }: Upload, number: number, signal: AbortSignal): Promise<void> {
  for (let other = writing.get(number); other !== undefined; other = writing.get(number)) {
    await Promise.race([other.ended, pause(silenceMs / 5, signal)]);
    if (performance.now() - other.lastByteAt() > silenceMs)
      other.giveUp(new SkulkError('CONFLICT', `another machine is sending this piece of ${record.model_id} faster`));
  }
}

/** Writes a piece to its place, and records it after it matched the manifest. */
async function putPiece(
  place: string,
  { number, piece, fileSize }: NumberedPiece,
  { bytes, onBytes }: { readonly bytes: Readable; readonly onBytes: () => void },
  signal: AbortSignal,
): Promise<void> {
  const { files } = uploadPaths(place);
  const file = join(files, piece.path);
  const handle = await openForPiece(files, file, fileSize);
  try {
    await writePiece(handle, piece, { bytes, onBytes }, signal);
  } finally {
    await handle.close();
  }
  // Hashed on another thread, so that others need not wait.
  const [isRight] = await runHashJob({ kind: 'check', path: file, pieces: [piece] }, { signal });
  if (!isRight) throw notPromised(piece);
  await noteDone(place, { number, bytes: piece.end - piece.start });
}

/** Reads unneeded bytes to the end: an early answer may close the connection of a request that is still being sent. */
async function discardBytes(bytes: Readable): Promise<void> {
  let left = chunkSize;
  for await (const part of bytes as AsyncIterable<Uint8Array>) {
    left -= part.length;
    // No piece is longer. Returning closes the connection.
    if (left < 0) return;
  }
}
