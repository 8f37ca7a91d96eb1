import type { UpstreamFile } from '../catalog/upstream.ts';
import type { RetryPolicy } from '../kernel/flow/backoff.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { FoundModel } from '../protocol/models/found-models.ts';

/** A file of a model in its source's list. A source without ids hashes the file before it lists it. */
export type SourceFile = UpstreamFile;

/** A request to a source. */
export interface SourceRef {
  readonly modelId: ModelId;
  /** A branch, tag or commit. */
  readonly revision: string;
  /** The skulk servers that the request has passed, as in the header `skulk-via`: a source that is one of them refuses. */
  readonly via?: string | undefined;
}

/** All files of a model at one commit of its source. */
export interface Listing extends SourceRef {
  /** 40 hex digits. */
  readonly commit: string;
  readonly files: readonly SourceFile[];
  /** The source's data about the model; absent if there is none. */
  readonly about?: ListingAbout;
}

/** A source's data about a model beside its files; every field may be missing. */
export interface ListingAbout {
  /** Whether it is private or gated. */
  readonly isRestricted: boolean;
  /** ISO 8601. */
  readonly lastModified?: string;
  readonly createdAt?: string;
  readonly tags?: readonly string[];
  readonly libraryName?: string;
  readonly pipelineTag?: string;
  /** The front matter of the model card. */
  readonly cardData?: Readonly<Record<string, unknown>>;
}

/** A part of a file; `end` is exclusive. */
export interface SourceRange {
  readonly start: number;
  readonly end: number;
  /** Request the whole file and skip the bytes before `start`: for a source that does not send parts. */
  readonly whole?: boolean | undefined;
}

/** A source of models. It is only read; the writer verifies the bytes with the listing. */
export interface Source {
  /** For messages, e.g. `Hugging Face`. */
  readonly name: string;
  /** The source in a manifest, e.g. `hub`. */
  readonly kind: string;
  /**
   * Resolves a revision to its commit and lists the model there.
   * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, and the source's own errors
   */
  list(ref: SourceRef, signal: AbortSignal): Promise<Listing>;
  /**
   * The bytes of a part of a file, in order. Never more than requested. A buffer may be freed when the next one is requested.
   * @throws UselessAnswer if the source sends other bytes, SkulkError FILE_NOT_FOUND, and the source's own errors
   */
  open(listing: Listing, file: SourceFile, range: SourceRange, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Models whose names contain a text, most downloads first; absent where a source cannot be searched.
   * @throws SkulkError what the source has of its own
   */
  search?(asked: { readonly query: string; readonly limit: number }, signal: AbortSignal): Promise<readonly Omit<FoundModel, 'in_store'>[]>;
  /** The file's path on this machine, if it is here: then it is cloned, and the clone is verified like any other bytes. */
  localPath?(listing: Listing, file: SourceFile): string | undefined;
  /** Whether a retry may help. */
  isTransient(error: unknown): boolean;
  /** How long to retry. */
  readonly retry: RetryPolicy;
}
