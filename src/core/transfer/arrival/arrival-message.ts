import type { Sha256 } from '../../kernel/sha256.ts';
import type { FileDigest } from '../hashing/hash-job.ts';

/** Messages to the thread that hashes files while they arrive. The bytes of one file come in order. */
export type ArrivalRequest =
  | {
      readonly type: 'open';
      readonly id: number;
      readonly size: number;
      readonly withGitId: boolean;
      /** Whether to report the digest of each block. */
      readonly withBlocks: boolean;
    }
  | { readonly type: 'bytes'; readonly id: number; readonly bytes: Uint8Array }
  /** The next bytes can be read from the file. */
  | { readonly type: 'read'; readonly id: number; readonly path: string; readonly start: number; readonly end: number }
  | { readonly type: 'finish'; readonly id: number }
  | { readonly type: 'drop'; readonly id: number };

/** Messages from that thread. */
export type ArrivalReply =
  /** The number of bytes hashed for one request. */
  | { readonly type: 'took'; readonly id: number; readonly bytes: number }
  | { readonly type: 'block'; readonly id: number; readonly start: number; readonly sha256: Sha256 }
  | { readonly type: 'digest'; readonly id: number; readonly digest: FileDigest }
  | { readonly type: 'failed'; readonly id: number };
