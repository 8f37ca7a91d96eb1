import type { Readable } from 'node:stream';
import type { ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { Adopted } from '../protocol/models/adoption.ts';
import type { ListedUpload } from '../protocol/uploads.ts';
import type { WorkOptions } from './contract.ts';

/** A piece that an upload still needs: the number of its file in the manifest, and its start. */
export interface MissingPiece {
  readonly file: number;
  readonly start: number;
}

/** Identifies an upload. Only the announcer knows the id, which decides if two machines announce the same model differently. */
export interface UploadRef {
  readonly modelId: ModelId;
  readonly digest: Sha256;
  readonly upload?: string | undefined;
}

/** The pieces of an announced model that must be sent. */
export interface Announcement {
  /** The id of the upload, for `UploadRef` and `cancel`; absent if the store has no such ids. */
  readonly upload?: string | undefined;
  readonly missing: readonly MissingPiece[];
}

/** Who cancels which upload. */
export interface CancelOptions {
  readonly mayCancelOthers: boolean;
  readonly of?: string | undefined;
}

/** Lists and cancels unfinished uploads. */
export interface UploadList {
  list(): Promise<readonly ListedUpload[]>;
  /**
   * Removes an unfinished upload and its data. Throws JOB_NOT_FOUND, CONFLICT if it is complete, FORBIDDEN.
   * @param id the sender's own id, or the handle in the list
   * @param options.of the handle of the meant upload: CONFLICT if the id is that of another one
   */
  cancel(id: string, options?: CancelOptions): Promise<ListedUpload>;
}

/** Uploads of models, piece by piece, as the sending machine sees them. */
export interface Uploads extends UploadList {
  /**
   * Announces a model, or resumes an earlier upload of the same content. Throws CONFLICT if the id has other content, without `force`;
   * NO_SPACE; STORE_BUSY if too many uploads are open.
   * @returns the pieces to send; none if the store has them all
   */
  begin(manifest: Manifest, options: { readonly force: boolean; readonly signal: AbortSignal }): Promise<Announcement>;
  /** Sends one piece. Throws INTEGRITY if it does not match the manifest, JOB_NOT_FOUND if nothing was announced. */
  put(upload: UploadRef, piece: MissingPiece, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Makes a model of the received data, hashed once more. Throws CONFLICT while something is missing. */
  complete(upload: UploadRef & { readonly force: boolean; readonly revision?: string | undefined }, options: WorkOptions): Promise<Adopted>;
}

/** The sender of a model. */
export interface Sender {
  readonly address: string;
  /** The name of its token. */
  readonly who: string | null;
}

/** Uploads as the store host sees them. It never has a whole manifest or piece in memory. */
export interface HostUploads extends UploadList, AsyncDisposable {
  /** @param manifest the bytes of a manifest, as they arrive */
  announce(
    manifest: Readable,
    options: { readonly modelId: ModelId; readonly sender: Sender; readonly force: boolean; readonly signal: AbortSignal },
  ): Promise<HostAnnouncement>;
  put(upload: UploadRef, piece: MissingPiece, bytes: Readable, signal: AbortSignal): Promise<void>;
  complete: Uploads['complete'];
  /** Calls the listener without delay, and often, when an upload begins, continues or ends. The returned function removes the listener. */
  onChange(listener: () => void): () => void;
}

/** The pieces of a model, announced to this machine, that must be sent. */
export interface HostAnnouncement {
  readonly digest: Sha256;
  readonly upload: string;
  readonly missingCount: number;
  /** In batches, because there may be very many. */
  missing(): AsyncIterable<readonly MissingPiece[]>;
}
