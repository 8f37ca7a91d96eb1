import type { Sha256 } from '../../kernel/sha256.ts';

/** The digest of a file. Sizes are in bytes; `chunks` is only present for a file larger than one chunk. */
export interface FileDigest {
  readonly size: number;
  readonly sha256: Sha256;
  readonly chunks?: readonly Sha256[];
  /**
   * The git id of the content: the sha1 of `blob <size> NUL <content>`. For a file larger than one chunk it is only computed on request,
   * because repos do not keep such content in git itself.
   */
  readonly gitId?: string;
}

/** A part of a file and its expected digest; `end` is exclusive. */
export interface ExpectedPiece {
  readonly start: number;
  readonly end: number;
  readonly sha256: Sha256;
}

/** Work for a hashing thread. */
export type HashJob =
  | { readonly kind: 'digest'; readonly path: string; readonly withGitId?: boolean }
  /** Copies and hashes. The copy is a new file, synced to the disk. */
  | { readonly kind: 'copy'; readonly from: string; readonly to: string }
  /** Hashes one part of a complete file. */
  | { readonly kind: 'range'; readonly path: string; readonly start: number; readonly end: number }
  /** Checks for each piece whether the file contains it. */
  | { readonly kind: 'check'; readonly path: string; readonly pieces: readonly ExpectedPiece[] }
  /** The sha1 of pieces of equal length, numbered across the files as if they were one; `to` is exclusive. */
  | {
      readonly kind: 'pieces';
      readonly files: readonly { readonly path: string; readonly size: number }[];
      readonly pieceLength: number;
      readonly from: number;
      readonly to: number;
    };

/** The result of a job. */
export type HashResult<J extends HashJob> = J['kind'] extends 'check'
  ? readonly boolean[]
  : J['kind'] extends 'range'
    ? Sha256
    : J['kind'] extends 'pieces'
      ? Uint8Array
      : FileDigest;

/** From the pool to a thread. `cancelled[0]` becomes 1 when the result is no longer needed. */
export interface HashRequest {
  readonly id: number;
  readonly job: HashJob;
  readonly cancelled: Int32Array;
}

/** From a thread to the pool. */
export type HashReply =
  | { readonly id: number; readonly type: 'bytes'; readonly done: number }
  | { readonly id: number; readonly type: 'result'; readonly result: FileDigest | Sha256 | Uint8Array | readonly boolean[] }
  | { readonly id: number; readonly type: 'cancelled' }
  | { readonly id: number; readonly type: 'error'; readonly message: string; readonly code: string | undefined };
