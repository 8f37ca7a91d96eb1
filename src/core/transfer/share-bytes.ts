import type { Sha256 } from '../kernel/sha256.ts';
import type { PromisedFile } from './promised-file.ts';

/** A part of a file; `end` is exclusive. */
export interface FilePart {
  readonly start: number;
  readonly end: number;
}

/** Coordinates with others that read files while they are fetched, and may have begun to fetch them. No byte is downloaded twice. */
export interface ByteSharing {
  /**
   * Moves the existing part of a file to `to`, where its download may continue.
   * @returns the digests of the recorded blocks, by their start; undefined if nobody has begun this file
   */
  takeOver(file: PromisedFile, to: string): Promise<ReadonlyMap<number, Sha256> | undefined>;
  /** The file exists at its path, and these parts of it are missing. */
  begun(file: PromisedFile, to: string, missing: readonly FilePart[]): void;
  /** The bytes of a part: the existing ones, the ones that others fetch, and the rest from `open`. The caller writes them to the file. */
  read(
    file: PromisedFile,
    part: FilePart,
    open: (part: FilePart, signal: AbortSignal) => AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** The whole file has been verified. */
  verified(file: PromisedFile): void;
  /** Its content is wrong, and all of it will be fetched again. */
  discard(file: PromisedFile): void;
}

/** The sharing for one download, from its beginning to its end. */
export interface SharedDownload extends ByteSharing {
  /** Reports the commit of the files. */
  listed(commit: string): void;
  /** @param isPublished whether the files are in the store now; otherwise they are still at their old path */
  end(isPublished: boolean): Promise<void>;
}
