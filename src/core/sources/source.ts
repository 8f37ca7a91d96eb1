import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { RetryPolicy } from '../kernel/flow/backoff.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';

/** A file of a model, as its source lists it. At least one of `oid` and `sha256` is known. */
export interface SourceFile {
  readonly path: RelativePath;
  /** In bytes. */
  readonly size: number;
  /** The git blob id that the repo has for the path: of the content, or of the pointer to it when `sha256` is there too. 40 hex digits. */
  readonly oid?: string;
  /** Of the content. */
  readonly sha256?: Sha256;
}

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
}

/** A part of a file; `end` is exclusive. */
export interface SourceRange {
  readonly start: number;
  readonly end: number;
}

/** Where models come from. It is only read; what was read is checked against the listing by whoever writes it down. */
export interface Source {
  /** For messages, e.g. `Hugging Face`. */
  readonly name: string;
  /**
   * Resolves a revision to its commit and lists the model there.
   * @throws SkulkError MODEL_NOT_FOUND, REVISION_NOT_FOUND, and what the source has of its own
   */
  list(ref: SourceRef, signal: AbortSignal): Promise<Listing>;
  /**
   * The bytes of a part of a file, in order. Never more than were asked for.
   * @throws SkulkError FILE_NOT_FOUND, and what the source has of its own
   */
  open(listing: Listing, file: SourceFile, range: SourceRange, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Whether asking again may help. */
  isTransient(error: unknown): boolean;
  /** How long it is asked again. */
  readonly retry: RetryPolicy;
}

/** What the content of a file is checked against. */
export const promiseOf = ({ oid, sha256 }: SourceFile): { readonly kind: 'sha256' | 'git'; readonly value: string } =>
  sha256 !== undefined ? { kind: 'sha256', value: sha256 } : { kind: 'git', value: oid ?? '' };
