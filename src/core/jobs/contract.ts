import type { WantedFiles, WantedFilesBody } from '../catalog/selection/wanted-files.ts';
import type { ErrorCode } from '../kernel/errors.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';

/** What is to be fetched from the Hub. */
export interface DownloadRequest extends WantedFiles {
  readonly modelId: ModelId;
  /** A branch, tag or commit; absent: the model in any revision will do, and `main` is fetched if there is none. */
  readonly revision?: string | undefined;
}

/** How a download is; sizes in bytes, times ISO 8601. */
export interface DownloadStatus {
  readonly modelId: ModelId;
  readonly status: 'pending' | 'downloading' | 'complete' | 'failed';
  /** From 0 to 1. */
  readonly progress: number;
  readonly error: string | null;
  readonly bytes_done: number;
  readonly bytes_total: number;
  /** Over the last seconds; null while it is not known. */
  readonly bytes_per_second: number | null;
  readonly seconds_left: number | null;
  readonly error_code: ErrorCode | null;
  readonly hint: string | null;
  readonly revision: string | null;
  readonly commit: string | null;
  /** What a program loads of the quantization that is taken; until that is known, what was asked for. Null without GGUF weights. */
  readonly gguf_file: string | null;
  readonly selector: string | null;
  readonly exact: boolean;
  /** What was asked for, so that it can be asked for again. */
  readonly request: WantedFilesBody & { readonly revision?: string };
  /** Sentences for whoever asked, e.g. that a card names a file that is not there. */
  readonly warnings: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
}

/** A chunk that a running download has on the store's disk; `end` is exclusive. Its file as a whole is checked later. */
export interface ArrivedChunk {
  readonly path: RelativePath;
  /** Of the whole file, in bytes. */
  readonly file_size: number;
  readonly start: number;
  readonly end: number;
  readonly sha256: Sha256;
}

/** What has arrived since a number. */
export interface ArrivedChunks {
  /** Names the run of the download; numbers of another run mean other chunks. Null when nothing runs. */
  readonly run: string | null;
  /** The number of the first. */
  readonly from: number;
  readonly chunks: readonly ArrivedChunk[];
}

/** The downloads of a store, wherever it is. */
export interface Downloads {
  /**
   * Asks for a model. What is there already is `complete`; what is being fetched is joined; what failed goes on.
   * @throws SkulkError HUB_OFFLINE when the store may not fetch; CONFLICT when other files of the model are being fetched
   */
  ask(request: DownloadRequest): Promise<DownloadStatus>;
  /** @throws SkulkError JOB_NOT_FOUND */
  status(modelId: ModelId): Promise<DownloadStatus>;
  /** The running and waiting ones, in the order in which they were asked for; with `recent`, those that ended too. */
  list(options?: { readonly recent?: boolean }): Promise<readonly DownloadStatus[]>;
  /**
   * Stops a download; what came is kept for the next try.
   * @throws SkulkError JOB_NOT_FOUND, CONFLICT when it has ended already
   */
  cancel(modelId: ModelId): Promise<DownloadStatus>;
  /** What a running download has by now, so that nodes need not wait for its end. */
  arrived(modelId: ModelId, from: number, signal: AbortSignal): Promise<ArrivedChunks>;
  /** The bytes of one of those chunks, from `skip` on. */
  readArrived(
    modelId: ModelId,
    which: { readonly run: string; readonly number: number; readonly chunk: ArrivedChunk; readonly skip: number },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}
