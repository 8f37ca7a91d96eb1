import type { WantedFiles } from '../catalog/selection/wanted-files.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { ArrivedChunk, ArrivedChunks, DownloadStatus } from '../protocol/downloads.ts';
import type { OptimizationPlan, OptimizationStatus } from '../protocol/optimizations.ts';

/** What is to be fetched from the Hub. */
export interface DownloadRequest extends WantedFiles {
  readonly modelId: ModelId;
  /** A branch, tag or commit; absent: the model in any revision will do, and `main` is fetched if there is none. */
  readonly revision?: string | undefined;
}

/** Names a download. */
export interface DownloadName {
  readonly modelId: ModelId;
  /** Which of the model's, as `download_id` says; without it the one that runs, else the one that is next, else the last one. */
  readonly downloadId?: string | undefined;
}

/** The downloads of a store, wherever it is. Those of one model come one after the other. */
export interface Downloads {
  /**
   * Asks for a model. What is there already is `complete`; what is being fetched is joined; what failed goes on.
   * @throws SkulkError HUB_OFFLINE when the store may not fetch; CONFLICT when the same is being fetched of another revision
   */
  ask(request: DownloadRequest): Promise<DownloadStatus>;
  /** @throws SkulkError JOB_NOT_FOUND */
  status(name: DownloadName): Promise<DownloadStatus>;
  /** The running and waiting ones, in the order in which they were asked for; with `recent`, those that ended too. */
  list(options?: { readonly recent?: boolean }): Promise<readonly DownloadStatus[]>;
  /**
   * Stops a download, or without an id all of a model; what came is kept for the next try.
   * @throws SkulkError JOB_NOT_FOUND, CONFLICT when it has ended already
   */
  cancel(name: DownloadName): Promise<DownloadStatus>;
  /** What a running download has by now, so that nodes need not wait for its end. */
  arrived(name: DownloadName, from: number, signal: AbortSignal): Promise<ArrivedChunks>;
  /** The bytes of one of those chunks, from `skip` on. */
  readArrived(
    modelId: ModelId,
    which: { readonly run: string; readonly number: number; readonly chunk: ArrivedChunk; readonly skip: number },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}

/** The programs that make variants. */
export type EngineName = OptimizationStatus['engine'];

/** What a variant of a model is to be like. */
export interface OptimizeWishes {
  readonly modelId: ModelId;
  /** Which GGUF weights of the model are read; the largest that are not quantized when absent. */
  readonly selector?: string | undefined;
  /** The first engine that is installed and can read the weights when absent. */
  readonly engine?: EngineName | undefined;
  /** Bits for each weight, at most; 4.5 when neither this nor `type` says otherwise. */
  readonly targetBpw?: number | undefined;
  /** As the engine calls it, e.g. `Q4_K_M`. */
  readonly type?: string | undefined;
  /** The widths that an engine may choose among for each layer. */
  readonly candidateBits?: readonly number[] | undefined;
  /** The id of the result; made of that of the model when absent. */
  readonly targetId?: ModelId | undefined;
  readonly threads?: number | undefined;
  /** Also weights that are quantized already. */
  readonly allowRequantize?: boolean | undefined;
  /** Replace a model that has the id of the result. */
  readonly force?: boolean | undefined;
}

/** The same when it is decided what will be made. */
export interface OptimizeRequest extends OptimizeWishes {
  readonly engine: EngineName;
  readonly type: string;
  readonly targetId: ModelId;
  /** Of the manifest that the source has. */
  readonly sourceDigest: Sha256;
  /** The engine's arguments that decide what comes out. */
  readonly arguments: readonly string[];
}

/** The variants that a store makes of its models, wherever it is. */
export interface Optimizations {
  /**
   * Has a variant made. One that is there already is `complete`.
   * @param options with `join`, the same optimization that runs or waits already is taken for the answer
   * @throws SkulkError MODEL_NOT_FOUND, FILE_NOT_FOUND, ENGINE_NOT_FOUND, NO_SPACE, BAD_REQUEST; CONFLICT while the result is made already, for
   * a source that changes or is quantized, and for an id that another model has
   */
  ask(wishes: OptimizeWishes, options?: { readonly join?: boolean }): Promise<OptimizationStatus>;
  /** Says what would be made. Throws as `ask` does, but for want of room and for an id that is taken. */
  plan(wishes: OptimizeWishes): Promise<OptimizationPlan>;
  /** The newest one that reads or makes a model. Throws JOB_NOT_FOUND. */
  status(modelId: ModelId): Promise<OptimizationStatus>;
  /** The running and waiting ones, in the order in which they were asked for; with `recent`, those that ended too. */
  list(options?: { readonly recent?: boolean }): Promise<readonly OptimizationStatus[]>;
  /**
   * Stops what makes a model, else all that reads it; nothing of it stays.
   * @throws SkulkError JOB_NOT_FOUND, CONFLICT when it has ended already
   */
  cancel(modelId: ModelId): Promise<OptimizationStatus>;
}
