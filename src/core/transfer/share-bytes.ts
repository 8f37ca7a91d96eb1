import type { Sha256 } from '../kernel/sha256.ts';
import type { PromisedFile } from './promised-file.ts';

/** A part of a file; `end` is exclusive. */
export interface FilePart {
  readonly start: number;
  readonly end: number;
}

/** Others who read files while they are fetched, and who may have begun to fetch them. No byte comes twice. */
export interface ByteSharing {
  /**
   * Puts what has come of a file into its place, where it may go on growing by itself.
   * @returns the digests of blocks that were noted, by where they begin; undefined when nobody has begun with it
   */
  takeOver(file: PromisedFile, to: string): Promise<ReadonlyMap<number, Sha256> | undefined>;
  /** The file lies in its place, and these parts of it are missing. */
  begun(file: PromisedFile, to: string, missing: readonly FilePart[]): void;
  /** The bytes of a part: those that are here, those that somebody else brings, and the rest by `open`. Whoever asks writes them to their places. */
  read(
    file: PromisedFile,
    part: FilePart,
    open: (part: FilePart, signal: AbortSignal) => AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  /** The whole file is right. */
  verified(file: PromisedFile): void;
  /** Its content is wrong, and everything of it will be fetched again. */
  discard(file: PromisedFile): void;
}

/** The same for one download, from its beginning to its end. */
export interface SharedDownload extends ByteSharing {
  /** The files are of this commit. */
  listed(commit: string): void;
  /** @param isPublished whether the files are in the store now; otherwise they lie where they were */
  end(isPublished: boolean): Promise<void>;
}
