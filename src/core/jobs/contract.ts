import type { WantedFiles } from '../catalog/selection/wanted-files.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { ArrivedChunk, ArrivedChunks, ClearedDownloads, DownloadStatus } from '../protocol/downloads.ts';
import type { OptimizationPlan, OptimizationStatus } from '../protocol/optimizations.ts';

/** The files to fetch from the Hub. */
export interface DownloadRequest extends WantedFiles {
  readonly modelId: ModelId;
  /** A branch, tag or commit. If absent, any existing revision is accepted, and `main` is fetched if there is none. */
  readonly revision?: string | undefined;
}

/** Identifies a download. */
export interface DownloadName {
  readonly modelId: ModelId;
  /** Selects one of the model's downloads by its `download_id`. If absent, the running one, else the next one, else the last one. */
  readonly downloadId?: string | undefined;
}

/** The downloads of a store, local or remote. Downloads of one model run one after the other. */
export interface Downloads {
  /**
   * Requests a model. An existing one is `complete`, a running download is joined, and a failed one is resumed.
   * @throws SkulkError HUB_OFFLINE if the store may not download; CONFLICT while the same is being downloaded at another revision
   */
  ask(request: DownloadRequest): Promise<DownloadStatus>;
  /** @throws SkulkError JOB_NOT_FOUND */
  status(name: DownloadName): Promise<DownloadStatus>;
  /** Running and waiting downloads, in the order of their requests; with `recent`, finished ones too. */
  list(options?: { readonly recent?: boolean }): Promise<readonly DownloadStatus[]>;
  /**
   * Cancels a download, or without an id all downloads of a model. Received data is kept for the next try.
   * @throws SkulkError JOB_NOT_FOUND, CONFLICT if it has ended already
   */
  cancel(name: DownloadName): Promise<DownloadStatus>;
  /**
   * Removes ended downloads from the list: all, those of a model, or one. Received data is kept for the next try.
   * @returns how many were removed
   */
  clear(which: Partial<DownloadName>): Promise<ClearedDownloads>;
  /** The chunks that a running download has so far, so that nodes need not wait for its end. */
  arrived(name: DownloadName, from: number, signal: AbortSignal): Promise<ArrivedChunks>;
  /** The bytes of one of those chunks, starting at `skip`. */
  readArrived(
    modelId: ModelId,
    which: { readonly run: string; readonly number: number; readonly chunk: ArrivedChunk; readonly skip: number },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}

/** The programs that make variants. */
export type EngineName = OptimizationStatus['engine'];

/** The options of a variant. */
export interface OptimizeWishes {
  readonly modelId: ModelId;
  /** Which GGUF weights of the model to read. If absent, the largest that are not quantized. */
  readonly selector?: string | undefined;
  /** If absent, the first installed engine that can read the weights. */
  readonly engine?: EngineName | undefined;
  /** The maximum bits per weight; 4.5 if neither this nor `type` is set. */
  readonly targetBpw?: number | undefined;
  /** The engine's own name, e.g. `Q4_K_M`. */
  readonly type?: string | undefined;
  /** The bit widths from which an engine may choose for each layer. */
  readonly candidateBits?: readonly number[] | undefined;
  /** The id of the result. If absent, it is derived from the model's id. */
  readonly targetId?: ModelId | undefined;
  readonly threads?: number | undefined;
  /** Also accept weights that are already quantized. */
  readonly allowRequantize?: boolean | undefined;
  /** Replace an existing model with the id of the result. */
  readonly force?: boolean | undefined;
}

/** The options together with the resolved choices. */
export interface OptimizeRequest extends OptimizeWishes {
  readonly engine: EngineName;
  readonly type: string;
  readonly targetId: ModelId;
  /** The digest of the source's manifest. */
  readonly sourceDigest: Sha256;
  /** The engine's arguments that affect the result. */
  readonly arguments: readonly string[];
}

/** The variants that a store makes of its models, local or remote. */
export interface Optimizations {
  /**
   * Requests a variant. An existing one is `complete`.
   * @param options with `join`, a running or waiting optimization with the same options is returned
   * @throws SkulkError MODEL_NOT_FOUND, FILE_NOT_FOUND, ENGINE_NOT_FOUND, NO_SPACE, BAD_REQUEST; CONFLICT while the result is already
   * being made, if the source is changing or already quantized, and if another model has the id
   */
  ask(wishes: OptimizeWishes, options?: { readonly join?: boolean }): Promise<OptimizationStatus>;
  /** Describes the variant without making it. Throws like `ask`, except for missing space and an id in use. */
  plan(wishes: OptimizeWishes): Promise<OptimizationPlan>;
  /** The newest optimization that reads or makes a model. Throws JOB_NOT_FOUND. */
  status(modelId: ModelId): Promise<OptimizationStatus>;
  /** Running and waiting optimizations, in the order of their requests; with `recent`, finished ones too. */
  list(options?: { readonly recent?: boolean }): Promise<readonly OptimizationStatus[]>;
  /**
   * Cancels the optimization that makes a model, else all that read it. Nothing of them is kept.
   * @throws SkulkError JOB_NOT_FOUND, CONFLICT if it has ended already
   */
  cancel(modelId: ModelId): Promise<OptimizationStatus>;
}
