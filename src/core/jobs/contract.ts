import type { WantedFiles } from '../catalog/selection/wanted-files.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { ArrivedChunk, ArrivedChunks, DownloadStatus } from '../protocol/downloads.ts';

/** What is to be fetched from the Hub. */
export interface DownloadRequest extends WantedFiles {
  readonly modelId: ModelId;
  /** A branch, tag or commit; absent: the model in any revision will do, and `main` is fetched if there is none. */
  readonly revision?: string | undefined;
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
