import type { Sha256 } from '../kernel/sha256.ts';

/** What a file holds: sizes in bytes; `chunks` only when the file is larger than one chunk. */
export interface FileDigest {
  readonly size: number;
  readonly sha256: Sha256;
  readonly chunks?: readonly Sha256[];
  /**
   * The id that git gives such a content: the sha1 of `blob <size> NUL <content>`. Of a file larger than one chunk only when it was asked
   * for: repos do not keep such a content in git itself.
   */
  readonly gitId?: string;
}

/** A part of a file and what it should hash to; `end` is exclusive. */
export interface ExpectedPiece {
  readonly start: number;
  readonly end: number;
  readonly sha256: Sha256;
}

/** Work for a hashing thread. */
export type HashJob =
  | { readonly kind: 'digest'; readonly path: string; readonly withGitId?: boolean }
  /** Copies while hashing; the copy is a new file, synced to the disk. */
  | { readonly kind: 'copy'; readonly from: string; readonly to: string }
  /** One part of a file, which is all there. */
  | { readonly kind: 'range'; readonly path: string; readonly start: number; readonly end: number }
  /** Says for each piece whether the file holds it. */
  | { readonly kind: 'check'; readonly path: string; readonly pieces: readonly ExpectedPiece[] };

/** What a job gives. */
export type HashResult<J extends HashJob> = J['kind'] extends 'check'
  ? readonly boolean[]
  : J['kind'] extends 'range'
    ? Sha256
    : FileDigest;

/** From the pool to a thread. `cancelled[0]` becomes 1 when the result is not wanted any more. */
export interface HashRequest {
  readonly id: number;
  readonly job: HashJob;
  readonly cancelled: Int32Array;
}

/** From a thread to the pool. */
export type HashReply =
  | { readonly id: number; readonly type: 'bytes'; readonly done: number }
  | { readonly id: number; readonly type: 'result'; readonly result: FileDigest | Sha256 | readonly boolean[] }
  | { readonly id: number; readonly type: 'cancelled' }
  | { readonly id: number; readonly type: 'error'; readonly message: string; readonly code: string | undefined };
