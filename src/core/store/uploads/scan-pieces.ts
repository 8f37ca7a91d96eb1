import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { SkulkError } from '../../kernel/errors.ts';
import { mapYielding } from '../../kernel/flow/yielding.ts';
import type { Manifest } from '../../protocol/manifest.ts';
import { runHashJob } from '../../transfer/hashing/hash-pool.ts';
import { type PieceTable, readPieceTable } from '../read/piece-table.ts';
import type { HostAnnouncement, MissingPiece } from '../upload-contract.ts';
import { createPieceSet, type PieceSet } from './piece-set.ts';
import { addPiece, type Upload } from './upload.ts';
import { makeFile, piecesOf, takeOver } from './upload-files.ts';
import { noteDone, readDone, uploadPaths } from './upload-record.ts';
import type { UploadTable } from './upload-table.ts';

/** The number of pieces to check before other work gets a turn. */
const atATime = 1_000;

/**
 * Checks once which pieces of an upload already exist. Other announcements of the same upload wait for it.
 * @param present the store's model with that id
 */
export async function scanOnce(table: UploadTable, upload: Upload, present: Manifest | undefined, signal: AbortSignal): Promise<void> {
  while (upload.have === undefined) {
    upload.opening ??= scanPieces(table, upload, present, signal).finally(() => {
      delete upload.opening;
    });
    await upload.opening.catch((error: unknown) => {
      // The first announcer has disconnected.
      if (signal.aborted || !(error instanceof SkulkError) || error.code !== 'INTERRUPTED') throw error;
    });
  }
}

async function scanPieces(uploads: UploadTable, upload: Upload, present: Manifest | undefined, signal: AbortSignal): Promise<void> {
  const table = await readPieceTable(uploadPaths(upload.place).table);
  const have = createPieceSet(table.pieces);
  upload.bytesDone = 0;
  await takeHinted(upload, have, table, signal);
  if (present !== undefined) await takeFromOld(upload, have, { table, old: await piecesOf(uploads.store, present) }, signal);
  upload.have = have;
  uploads.changed();
}

/** A piece in the journal counts after it has been hashed again. */
async function takeHinted(upload: Upload, have: PieceSet, table: PieceTable, signal: AbortSignal): Promise<void> {
  const hinted = [...(await readDone(upload.place)).keys()].filter((number) => number < table.pieces).toSorted((a, b) => a - b);
  const byFile = Map.groupBy(await mapYielding(hinted, (number) => table.piece(number)), ({ file }) => file);
  for (const pieces of byFile.values()) {
    const [first] = pieces;
    if (first === undefined) continue;
    const path = join(uploadPaths(upload.place).files, first.piece.path);
    const info = await stat(path).catch(() => undefined);
    if (info?.size !== first.fileSize) continue;
    const good = await runHashJob({ kind: 'check', path, pieces: pieces.map(({ piece }) => piece) }, { signal });
    for (const [index, { number, piece }] of pieces.entries())
      if (good[index] === true) addPiece(upload, have, number, piece.end - piece.start);
  }
}

/** Copies the pieces that the existing model shares with the new one. */
async function takeFromOld(
  upload: Upload,
  have: PieceSet,
  { table, old }: { readonly table: PieceTable; readonly old: Awaited<ReturnType<typeof piecesOf>> },
  signal: AbortSignal,
): Promise<void> {
  for (let number = 0; number < table.pieces; number += 1) {
    if (number % atATime === 0) await yieldToOthers();
    if (have.has(number)) continue;
    const { piece, fileSize } = table.piece(number);
    if (!old.has(piece.sha256)) continue;
    const to = join(uploadPaths(upload.place).files, piece.path);
    await makeFile(to, fileSize);
    if (!(await takeOver(piece, old, to, signal))) continue;
    await noteDone(upload.place, { number, bytes: piece.end - piece.start });
    addPiece(upload, have, number, piece.end - piece.start);
  }
}

/** Lists the pieces of an upload that must still be sent. */
export async function answerMissing({ record, have, place }: Upload): Promise<HostAnnouncement> {
  const table = await readPieceTable(uploadPaths(place).table);
  return {
    digest: record.digest,
    upload: record.secret,
    missingCount: record.pieces - (have?.count() ?? 0),
    missing: async function* () {
      for (let from = 0; from < table.pieces; from += atATime) {
        const part: MissingPiece[] = [];
        for (let number = from; number < Math.min(from + atATime, table.pieces); number += 1) {
          const { file, start } = table.whereIs(number);
          if (have?.has(number) !== true) part.push({ file, start });
        }
        yield part;
        await yieldToOthers();
      }
    },
  };
}
