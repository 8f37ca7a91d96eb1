import type { FilePiece } from './file-blocks.ts';
import { createProgressMeter, type OnMeter } from './progress-meter.ts';

/** Counts the pieces and bytes of files that are being fetched. */
export interface FilesProgress<F> {
  /** Starts counting a file with these missing pieces. */
  begin(file: F, missing: readonly FilePiece<F>[]): void;
  /** The whole file is already here. */
  takenOver(file: F): void;
  /** More bytes of an unfinished piece have arrived. */
  arriving(bytes: number): void;
  /** Some of the arriving bytes do not count. */
  discarded(bytes: number): void;
  /** A piece is complete. @returns whether it was the last missing one of its file */
  landed(piece: FilePiece<F>): boolean;
  /** The file is fetched again from this byte on, as one piece. */
  fetchAgainFrom(file: F, start: number): void;
  /** The content of a complete file is wrong, so none of it counts. */
  wrong(file: F): void;
  /** The number of bytes transferred over the network. */
  bytesTransferred(): number;
}

/**
 * Reports once at the start.
 * @param onBytes called with the bytes that are here, of all; the number never decreases
 */
export function createFilesProgress<F extends { readonly size: number }>(total: number, onBytes: OnMeter): FilesProgress<F> {
  const meter = createProgressMeter(total, onBytes);
  const missingPieces = new Map<F, number>();
  /** The bytes of each file that the meter counts as here. */
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
