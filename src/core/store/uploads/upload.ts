import { SkulkError } from '../../kernel/errors.ts';
import { digestOf, isSameDigest } from '../../kernel/secret.ts';
import type { Adopted } from '../../protocol/models/adoption.ts';
import type { ListedUpload } from '../../protocol/uploads.ts';
import type { PieceSet } from './piece-set.ts';
import type { UploadRecord } from './upload-record.ts';

/**
 * An unfinished upload. In memory it has a few numbers and one bit per piece. The bits exist only after it was announced to this process.
 */
export interface Upload {
  readonly key: string;
  readonly record: UploadRecord;
  readonly place: string;
  bytesDone: number;
  lastByteAt: number;
  /** The existing pieces; absent after a restart until the upload is announced again and its data was hashed again. */
  have?: PieceSet;
  /** Set while that is running. */
  opening?: Promise<void>;
  /** The pieces that are being written, by number: two machines may send the same model. */
  readonly writing: Map<number, WritingPiece>;
  /** Set when completion was requested: makes the model. */
  completing?: Promise<Adopted>;
}

/** A piece that is being received. */
export interface WritingPiece {
  readonly ended: Promise<unknown>;
  readonly lastByteAt: () => number;
  /** Gives way to another sender, or to a cancellation. */
  readonly giveUp: (why: SkulkError) => void;
}

/** Records that a piece of an upload has arrived. */
export function addPiece(upload: Upload, have: PieceSet, number: number, bytes: number): void {
  if (have.has(number)) return;
  have.add(number);
  upload.bytesDone += bytes;
}

/** Whether an id is the secret one that only the sender of an upload has. */
export const isSecretOf = ({ record }: Upload, id: string): boolean => isSameDigest(digestOf(record.secret), digestOf(id));

/** The handle of an upload in lists. */
export const handleOf = ({ key }: Upload): string => key.slice(0, 12);

/** An upload for lists. */
export const listedUpload = (upload: Upload): ListedUpload => ({
  id: handleOf(upload),
  model_id: upload.record.model_id,
  digest: upload.record.digest,
  from: upload.record.from,
  who: upload.record.who,
  files: upload.record.files,
  bytes_total: upload.record.bytes_total,
  bytes_done: upload.bytesDone,
  began_at: upload.record.began_at,
  last_byte_at: new Date(upload.lastByteAt).toISOString(),
});

/** The error for resuming an upload that does not exist. */
export const noUpload = (modelId: string): SkulkError =>
  new SkulkError('JOB_NOT_FOUND', `there is no upload of ${modelId} in progress`, { hint: 'run `skulk add` again to continue' });

/** The error for sending a piece of an upload that is being removed. */
export const removedUpload = ({ record }: Upload, why: string): SkulkError =>
  new SkulkError('CANCELLED', `the upload of ${record.model_id} was removed: ${why}`, { hint: 'run `skulk add` again' });
