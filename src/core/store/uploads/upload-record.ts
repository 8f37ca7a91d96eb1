import { randomBytes } from 'node:crypto';
import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../kernel/errors.ts';
import { writeFileDurably } from '../../kernel/files/durable-file.ts';
import { namesIn } from '../../kernel/files/if-present.ts';
import { forEachYielding } from '../../kernel/flow/yielding.ts';
import { isModelId, type ModelId } from '../../kernel/model-id.ts';
import { isSha256, type Sha256 } from '../../kernel/sha256.ts';

/** The saved data of an upload beside its pieces; sizes in bytes. */
export interface UploadRecord {
  readonly version: 1;
  /** Only the announcer knows it, so it proves the ownership of an upload. */
  readonly secret: string;
  readonly model_id: ModelId;
  readonly digest: Sha256;
  readonly files: number;
  readonly pieces: number;
  readonly bytes_total: number;
  /** The address of the first announcement. */
  readonly from: string;
  /** The name of its token, if it had one. */
  readonly who: string | null;
  /** ISO 8601. */
  readonly began_at: string;
}

/** The paths of one upload. */
export const uploadPaths = (place: string) => ({
  record: join(place, 'upload.json'),
  table: join(place, 'pieces.bin'),
  journal: join(place, 'journal'),
  files: join(place, 'files'),
});

/** An id that nobody can guess. */
export const newSecret = (): string => randomBytes(16).toString('hex');

/** Saves the record. */
export const writeRecord = (place: string, record: UploadRecord): Promise<void> =>
  writeFileDurably(uploadPaths(place).record, JSON.stringify(record), { mode: 0o600 });

/** An upload as it is on the disk. */
export interface StoredUpload {
  readonly key: string;
  readonly record: UploadRecord;
  readonly bytesDone: number;
  /** In milliseconds since 1970. */
  readonly lastByteAt: number;
}

/** Every upload below a directory; `others` are the names of everything else there. */
export async function listStoredUploads(
  directory: string,
): Promise<{ readonly uploads: readonly StoredUpload[]; readonly others: readonly string[] }> {
  const names = await namesIn(directory);
  const uploads: StoredUpload[] = [];
  const others: string[] = [];
  for (const key of names) {
    const place = join(directory, key);
    const record = /^[0-9a-f]{32}$/.test(key) ? await readRecord(place) : undefined;
    if (record === undefined) {
      others.push(key);
      continue;
    }
    const journal = await readDone(place);
    const times = await Promise.all([uploadPaths(place).journal, uploadPaths(place).record].map(modifiedAt));
    const bytesDone = [...journal.values()].reduce((sum, bytes) => sum + bytes, 0);
    uploads.push({ key, record, bytesDone: Math.min(bytesDone, record.bytes_total), lastByteAt: Math.max(...times) });
  }
  return { uploads, others };
}

/** When a file was last written, in milliseconds since 1970; 0 if it does not exist. */
export const modifiedAt = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

async function readRecord(place: string): Promise<UploadRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(uploadPaths(place).record, 'utf8')) as Partial<UploadRecord>;
    const { secret, model_id, digest, files, pieces, bytes_total, from, who, began_at } = record;
    if (typeof secret !== 'string' || typeof model_id !== 'string' || !isModelId(model_id) || !isSha256(digest)) return undefined;
    if (![files, pieces, bytes_total].every(Number.isSafeInteger)) return undefined;
    if (typeof from !== 'string' || typeof began_at !== 'string') return undefined;
    return { ...(record as UploadRecord), who: typeof who === 'string' ? who : null };
  } catch {
    return undefined;
  }
}

/**
 * Records that a piece has arrived. The journal is opened for each piece, so an idle upload has no open file. A line is a hint, not a
 * proof, because it may reach the disk before the piece does.
 */
export const noteDone = (place: string, { number, bytes }: { readonly number: number; readonly bytes: number }): Promise<void> =>
  appendFile(uploadPaths(place).journal, `\n${number} ${bytes}\n`);

/** The numbers of the journalled pieces, and their bytes. Ignores a line that a crash cut off. */
export async function readDone(place: string): Promise<ReadonlyMap<number, number>> {
  const text = await readFile(uploadPaths(place).journal, 'utf8').catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return '';
    throw error;
  });
  const done = new Map<number, number>();
  await forEachYielding(text.matchAll(/^(\d{1,9}) (\d{1,9})\n/gm), ([, number, bytes]) => done.set(Number(number), Number(bytes)));
  return done;
}
