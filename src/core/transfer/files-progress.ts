import type { FilePiece } from './file-blocks.ts';
import { createProgressMeter, type OnMeter } from './progress-meter.ts';

/** Counts the pieces and bytes of files that are fetched. */
export interface FilesProgress<F> {
  /** Fetching of a file begins; these pieces of it are missing. */
  begin(file: F, missing: readonly FilePiece<F>[]): void;
  /** The whole file is here, and nothing of it has to be fetched. */
  takenOver(file: F): void;
  /** So many bytes have come of a piece that is not whole yet. */
  arriving(bytes: number): void;
  /** So many of what was arriving do not count. */
  discarded(bytes: number): void;
  /** A piece is whole. @returns whether it was the last that its file lacked */
  landed(piece: FilePiece<F>): boolean;
  /** Everything of a file from this byte on is fetched again, as one piece. */
  fetchAgainFrom(file: F, start: number): void;
  /** The content of a whole file is wrong, so nothing of it counts. */
  wrong(file: F): void;
  /** Bytes that came over the wire. */
  bytesTransferred(): number;
}

/**
 * Reports once at the start.
 * @param onBytes told how many bytes of all are here; the number never falls
 */
export function createFilesProgress<F extends { readonly size: number }>(total: number, onBytes: OnMeter): FilesProgress<F> {
  const meter = createProgressMeter(total, onBytes);
  const missingPieces = new Map<F, number>();
  /** The bytes of each file that the meter has as here. */
  const counted = new Map<F, number>();
  let transferred = 0;
  return {
    begin: (file, missing) => {
      const here = file.size - missing.reduce((sum, { start, end }) => sum + end - start, 0);
      counted.set(file, here);
      meter.here(here);
      missingPieces.set(file, missing.length);
    },
    takenOver: ({ size }) => meter.here(size),
    arriving: (bytes) => {
      transferred += bytes;
      meter.arriving(bytes);
    },
    discarded: meter.discarded,
    landed: ({ file, start, end }) => {
      meter.landed(end - start);
      counted.set(file, (counted.get(file) ?? 0) + end - start);
      const left = (missingPieces.get(file) ?? 1) - 1;
      missingPieces.set(file, left);
      return left === 0;
    },
    fetchAgainFrom: (file, start) => {
      meter.here(start - (counted.get(file) ?? 0));
      counted.set(file, start);
      missingPieces.set(file, 1);
    },
    wrong: ({ size }) => meter.here(-size),
    bytesTransferred: () => transferred,
  };
}
