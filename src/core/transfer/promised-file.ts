import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { ExpectedPiece } from './hashing/hash-job.ts';

/** The expected content: by its sha256, by its git id, or part by part. */
export type ContentId =
  | {
      readonly kind: 'sha256' | 'git';
      readonly value: string;
      /** The source may legitimately have other content. So the same other content is accepted when it was received twice. */
      readonly isTentative?: true;
    }
  /** Only the size is known. `value` stays the same until the source reports a change. */
  | { readonly kind: 'arrival'; readonly value: string }
  /** The parts cover the whole file. `value` is the same only for the same parts. */
  | { readonly kind: 'parts'; readonly value: string; readonly parts: readonly ExpectedPiece[] };

/** A file and its expected content. */
export interface PromisedFile {
  readonly path: RelativePath;
  /** In bytes. */
  readonly size: number;
  readonly id: ContentId;
}

/** The expected content of a file that a source lists with its sha256 or its git id. */
export const promiseOf = ({
  oid,
  sha256,
}: {
  readonly oid?: string;
  readonly sha256?: string;
}): { readonly kind: 'sha256' | 'git'; readonly value: string } =>
  sha256 !== undefined ? { kind: 'sha256', value: sha256 } : { kind: 'git', value: oid ?? '' };
