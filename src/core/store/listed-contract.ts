import type { Card } from '../catalog/card-table.ts';
import type { RelativePath } from '../kernel/files/relative-path.ts';
import type { ModelId } from '../kernel/model-id.ts';
import type { ByteRange } from './contract.ts';

/** A model of a store without manifests. Its list is all that is known. */
export interface ListedModel {
  readonly modelId: ModelId;
  /** The model's own files, without the others that the store lists. */
  readonly files: readonly RelativePath[];
  /** The Hub commit in its registry, 40 hex digits; null if there is none. */
  readonly commit: string | null;
  /** The model's card, which later releases of the Python program send. */
  readonly card: Card | undefined;
  /** The same until the store reports a change. */
  readonly state: string;
}

/** A model of such a store, with its commit: the store may answer only requests that name it. */
export type ListedRef = Pick<ListedModel, 'modelId' | 'commit'>;

/** The files of a store without manifests. */
export interface ListedFiles {
  /** The size of a file, in bytes. Throws FILE_NOT_FOUND, STORE_UNREACHABLE. */
  measure(model: ListedRef, path: RelativePath, signal: AbortSignal): Promise<number>;
  /**
   * The bytes of a part of a file, in order. `whole`: request the whole file and skip the bytes before the part. Throws UselessAnswer if
   * the store sends other bytes; INTEGRITY if the file's size has changed; FILE_NOT_FOUND, STORE_UNREACHABLE.
   */
  read(
    file: ListedRef & { readonly path: RelativePath; readonly size: number },
    range: ByteRange & { readonly whole?: boolean | undefined },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}
