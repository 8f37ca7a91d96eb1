import { SkulkError } from '../../kernel/errors.ts';
import { digestOf, isSameDigest } from '../../kernel/secret.ts';
import type { Adopted } from '../../protocol/models.ts';
import type { ListedUpload } from '../../protocol/uploads.ts';
import type { PieceSet } from './piece-set.ts';
import type { UploadRecord } from './upload-record.ts';

/** An unfinished upload. Beside a few numbers only one bit a piece is in memory, and that only once it was announced to this process. */
export interface Upload {
  readonly key: string;
  readonly record: UploadRecord;
  readonly place: string;
  bytesDone: number;
  lastByteAt: number;
  /** Which pieces are there; absent until it is announced again after a restart, and what lies there was hashed again. */
  have?: PieceSet;
  /** While that is under way. */
  opening?: Promise<void>;
  /** The pieces that are being written, by number: two machines may send the same model. */
  readonly writing: Map<number, WritingPiece>;
  /** What makes the model of it, once somebody asked for that. */
  completing?: Promise<Adopted>;
}

/** A piece that is on its way. */
export interface WritingPiece {
  readonly ended: Promise<unknown>;
  readonly lastByteAt: () => number;
  /** Makes way for somebody else who sends it, or for whoever cancels the upload. */
  readonly giveUp: (why: SkulkError) => void;
}

/** Notes that a piece of an upload is there. */
export function addPiece(upload: Upload, have: PieceSet, number: number, bytes: number): void {
  if (have.has(number)) return;
  have.add(number);
  upload.bytesDone += bytes;
}

/** Whether an id is the one that only the sender of an upload was given. */
export const isSecretOf = ({ record }: Upload, id: string): boolean => isSameDigest(digestOf(record.secret), digestOf(id));

/** The handle of an upload in lists. */
export const handleOf = ({ key }: Upload): string => key.slice(0, 12);

/** An upload as lists have it. */
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

/** The answer to whoever goes on with an upload that is not there. */
export const noUpload = (modelId: string): SkulkError =>
  new SkulkError('JOB_NOT_FOUND', `there is no upload of ${modelId} in progress`, { hint: 'run `skulk add` again to continue' });

/** The answer to whoever sends a piece of an upload that is being removed. */
export const removedUpload = ({ record }: Upload, why: string): SkulkError =>
  new SkulkError('CANCELLED', `the upload of ${record.model_id} was removed: ${why}`, { hint: 'run `skulk add` again' });
