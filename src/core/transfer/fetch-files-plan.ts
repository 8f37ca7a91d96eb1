import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { RetryPolicy } from '../kernel/flow/backoff.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { FileDigest } from './hashing/hash-job.ts';
import type { ReusableFile } from './prepare-file.ts';
import type { OnMeter } from './progress-meter.ts';
import type { PromisedFile } from './promised-file.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { ByteSharing } from './share-bytes.ts';

/** A complete, synced file with the expected content. */
export interface FetchedFile extends FileDigest {
  readonly path: RelativePath;
  /** The expected id, if the content has it; absent for a file with an expected digest per part, or with none. */
  readonly hub_id?: string;
}

/** A chunk that arrived in one piece. Its file is verified as a whole at the end. */
export interface ArrivedPiece {
  readonly path: RelativePath;
  readonly start: number;
  readonly end: number;
  readonly sha256: Sha256;
}

/** The input of `fetchFiles`. */
export interface FetchFilesPlan<F extends PromisedFile> {
  readonly files: readonly F[];
  readonly directory: string;
  readonly journal: string;
  /** Opens a part of a file. `whole`: the source does not send parts, so the whole file is requested and its beginning skipped. */
  readonly read: (
    file: F,
    range: { readonly start: number; readonly end: number; readonly whole: boolean },
    signal: AbortSignal,
  ) => AsyncIterable<Uint8Array>;
  /** Finds a file that probably has this content. It is reused if it does. */
  readonly reuse: (file: F) => ReusableFile | undefined;
  readonly isTransient: (error: unknown) => boolean;
  readonly connections: number;
  readonly limiter: RateLimiter;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
  /** The reported number of bytes never decreases. */
  readonly onBytes: OnMeter;
  readonly onPiece?: (piece: ArrivedPiece) => void;
  /** Others that read or fetch these files. */
  readonly sharing?: ByteSharing | undefined;
}

/** The result of `fetchFiles`. */
export interface FetchedFiles {
  readonly files: readonly FetchedFile[];
  /** Bytes transferred over the network. */
  readonly bytesTransferred: number;
  /** Bytes read back from the disk to hash whole files. */
  readonly bytesReadBack: number;
}
