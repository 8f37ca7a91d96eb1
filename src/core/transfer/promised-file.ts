import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { ExpectedPiece } from './hash-job.ts';

/** What content must be: by its sha256, by the id that git gives it, or part by part. */
export type ContentId =
  | {
      readonly kind: 'sha256' | 'git';
      readonly value: string;
      /** The source may have other content in good faith, so the same other content counts when it has come twice. */
      readonly isTentative?: true;
    }
  /** Nothing is promised but the size; `value` is the same as long as the source says nothing of a change. */
  | { readonly kind: 'arrival'; readonly value: string }
  /** The parts cover the whole file; `value` is the same for the same parts only. */
  | { readonly kind: 'parts'; readonly value: string; readonly parts: readonly ExpectedPiece[] };

/** A file, and what is promised of its content. */
export interface PromisedFile {
  readonly path: RelativePath;
  /** In bytes. */
  readonly size: number;
  readonly id: ContentId;
}

/** What the content of a file is checked against that a source lists by its sha256, or by the id that git gives it. */
export const promiseOf = ({
  oid,
  sha256,
}: {
  readonly oid?: string;
  readonly sha256?: string;
}): { readonly kind: 'sha256' | 'git'; readonly value: string } =>
  sha256 !== undefined ? { kind: 'sha256', value: sha256 } : { kind: 'git', value: oid ?? '' };
