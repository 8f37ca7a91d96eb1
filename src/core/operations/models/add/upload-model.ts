import { open } from 'node:fs/promises';
import { makeManifest, totalBytes } from '../../../catalog/manifest.ts';
import { SkulkError } from '../../../kernel/errors.ts';
import { patient, retrying } from '../../../kernel/flow/backoff.ts';
import type { SkulkEvent } from '../../../kernel/flow/events.ts';
import type { ModelId } from '../../../kernel/model-id.ts';
import type { World } from '../../../kernel/world.ts';
import type { Manifest } from '../../../protocol/manifest.ts';
import type { Adopted } from '../../../protocol/models/adoption.ts';
import { type HashedModel, hashModel } from '../../../store/ingest/hash-model.ts';
import type { ScannedFile } from '../../../store/ingest/scan-directory.ts';
import type { MissingPiece, Uploads } from '../../../store/upload-contract.ts';
import { pieceAt } from '../../../transfer/pieces.ts';

/** Each connection has one piece in memory. */
const connections = 4;

/** The upload request. */
export interface UploadRequest {
  readonly modelId: ModelId;
  readonly files: readonly ScannedFile[];
  readonly revision?: string | undefined;
  readonly force: boolean;
  /** The digests of the files, if they are known. */
  readonly hashed?: HashedModel | undefined;
}

/**
 * Uploads a model to a store on another machine: the manifest, then only the missing pieces, which the store verifies, then the
 * completion. A second run after a break resumes it.
 * @throws SkulkError CONFLICT for other content under the same id, NO_SPACE on the store host, INTEGRITY if a file changes in the
 * meantime
 */
export async function uploadModel(
  uploads: Uploads,
  { modelId, files, revision, force, hashed: known }: UploadRequest,
  world: World,
): Promise<{ readonly adopted: Adopted; readonly bytesSent: number }> {
  const { signal } = world;
  const report = (doing: string) => (bytesDone: number, bytesTotal: number) =>
    world.emit({ type: 'progress', doing, subject: modelId, bytesDone, bytesTotal });
  const hashed = known ?? (await hashModel(files, { signal, onBytes: report('hashing') }));
  const manifest = makeManifest(modelId, hashed.files, { revision: revision ?? null, source: 'add', createdAt: world.now() });
  const { isTransient } = await import('../../../client/http/transient.ts');
  const policy = { policy: patient, signal, isTransient };
  let bytesSent = 0;
  for (let round = 1; ; round += 1) {
    const { missing, upload: id } = await retrying(() => uploads.begin(manifest, { force, signal }), policy);
    const upload = { modelId, digest: manifest.digest, upload: id };
    const total = bytesOf(manifest, missing);
    let done = 0;
    let isSent = false;
    try {
      await sendPieces(manifest, missing, files, async (piece, bytes) => {
        await retrying(() => uploads.put(upload, piece, bytes, signal), policy);
        done += bytes.length;
        bytesSent += bytes.length;
        report('sending')(done, total);
      });
      isSent = true;
      const complete = () => uploads.complete({ ...upload, force, revision }, { signal, onBytes: report('hashing') });
      return { adopted: await retrying(complete, policy), bytesSent };
    } catch (error) {
      if (!isSent && id !== undefined && isUnfinished(error)) world.emit(sayHowToCancel(modelId, id));
      // The store was restarted, or another sender has completed the same model.
      if (signal.aborted || !(error instanceof SkulkError) || error.code !== 'JOB_NOT_FOUND' || round === 3) throw error;
    }
  }
}

/** Whether the uploaded data is still in the store. */
const isUnfinished = (error: unknown): boolean =>
  !(error instanceof SkulkError) || (error.code !== 'JOB_NOT_FOUND' && error.code !== 'CANCELLED');

const sayHowToCancel = (modelId: ModelId, id: string): SkulkEvent => ({
  type: 'warning',
  message: `${modelId} is not in the store; the data already sent is kept there, and the same command resumes the upload`,
  hint: `to remove it: skulk uploads --cancel ${id}`,
});

/** Reads the pieces and sends them over several connections. The first failure ends all of them. */
async function sendPieces(
  { files }: Manifest,
  missing: readonly MissingPiece[],
  sources: readonly ScannedFile[],
  send: (piece: MissingPiece, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const absolute = new Map(sources.map(({ path, absolute: at }) => [path as string, at]));
  const queue = missing.values();
  let failure: unknown;
  const lane = async (): Promise<void> => {
    for (const piece of queue) {
      if (failure !== undefined) return;
      await send(piece, await readPiece(piece));
    }
  };
  const readPiece = async ({ file, start }: MissingPiece): Promise<Uint8Array> => {
    const entry = files[file];
    const piece = entry === undefined ? undefined : pieceAt(entry, start);
    const path = entry === undefined ? undefined : absolute.get(entry.path);
    if (piece === undefined || path === undefined)
      throw new SkulkError('STORE_UNREACHABLE', 'the store requested a piece that the model does not have');
    const buffer = Buffer.allocUnsafe(piece.end - piece.start);
    const handle = await open(path, 'r');
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start).finally(() => handle.close());
    return buffer.subarray(0, bytesRead);
  };
  await Promise.all(
    Array.from({ length: connections }, () =>
      lane().catch((error: unknown) => {
        failure ??= error;
      }),
    ),
  );
  if (failure !== undefined) throw failure;
}

/** The number of bytes to send, for the progress. */
const bytesOf = ({ files }: Manifest, missing: readonly MissingPiece[]): number =>
  totalBytes(
    missing.map(({ file, start }) => {
      const entry = files[file];
      const piece = entry === undefined ? undefined : pieceAt(entry, start);
      return { size: piece === undefined ? 0 : piece.end - piece.start };
    }),
  );
