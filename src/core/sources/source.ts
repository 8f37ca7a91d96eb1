import type { UpstreamFile } from '../catalog/upstream.ts';
import type { RetryPolicy } from '../kernel/flow/backoff.ts';
import type { ModelId } from '../kernel/model-id.ts';

/** A file of a model, as its source lists it. A source that has no ids hashes the file before it lists it. */
export type SourceFile = UpstreamFile;

/** What is asked of a source. */
export interface SourceRef {
  readonly modelId: ModelId;
  /** A branch, tag or commit. */
  readonly revision: string;
}

/** All files of a model as its source had them at one commit. */
export interface Listing extends SourceRef {
  /** 40 hex digits. */
  readonly commit: string;
  readonly files: readonly SourceFile[];
  /** What the source says of the model; absent where it says nothing. */
  readonly about?: ListingAbout;
}

/** What a source says of a model beside its files; it may all be missing. */
export interface ListingAbout {
  /** Whether not everybody may have it: it is private, or gated. */
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
  /** Ask for the whole file and leave out what comes before `start`: for who does not send parts. */
  readonly whole?: boolean | undefined;
}

/** Where models come from. It is only read; what was read is checked against the listing by whoever writes it down. */
export interface Source {
  /** For messages, e.g. `Hugging Face`. */
  readonly name: string;
  /** What a manifest says of where the bytes came from, e.g. `hub`. */
  readonly kind: string;
  /**
   * Resolves a revision to its commit and lists the model there.
   * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, and what the source has of its own
   */
  list(ref: SourceRef, signal: AbortSignal): Promise<Listing>;
  /**
   * The bytes of a part of a file, in order. Never more than were asked for. What is handed out may be freed once more is asked for.
   * @throws UselessAnswer when other bytes come, SkulkError FILE_NOT_FOUND, and what the source has of its own
   */
  open(listing: Listing, file: SourceFile, range: SourceRange, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Where a file lies on this machine, if it does: then it is cloned, and what was cloned is checked like any other bytes. */
  localPath?(listing: Listing, file: SourceFile): string | undefined;
  /** Whether asking again may help. */
  isTransient(error: unknown): boolean;
  /** How long it is asked again. */
  readonly retry: RetryPolicy;
}
