import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Manifest, totalBytes } from '../catalog/manifest.ts';
import { renameDurably } from '../kernel/durable-file.ts';
import { SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/make-directory.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import { quote } from '../kernel/relative-path.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { World } from '../kernel/world.ts';
import { syncFile } from '../transfer/clone-file.ts';
import { requireRoom } from '../transfer/disk-room.ts';
import { runHashJob } from '../transfer/hash-pool.ts';
import { openJournal, type PartJournal, readJournal } from '../transfer/part-journal.ts';
import { type Piece, pieceAt, pieceKey, splitIntoPieces } from '../transfer/pieces.ts';
import { removeTree } from '../transfer/remove-tree.ts';
import type { Adopted, LocalStore, MissingPiece, Uploads } from './contract.ts';
import { abandonPlace, makeIncomingPlace } from './incoming.ts';
import { storeLayout } from './layout.ts';

/** An upload that was begun in this process. */
interface Upload {
  readonly manifest: Manifest;
  readonly place: string;
  readonly missing: Set<string>;
  readonly journal: PartJournal;
}

/** An upload that nobody went on with for so long is cleared away. */
const staleMs = 7 * 24 * 3600_000;

const nameOf = ({ file, start }: MissingPiece): string => `${file}:${start}`;

/** Takes models from other machines into the store on this machine's disk. Nothing of them shows before they are complete. */
export function createUploads(store: LocalStore, world: World): Uploads {
  const layout = storeLayout(store.root);
  const uploads = new Map<string, Upload>();
  const keyOf = ({ modelId, digest }: { readonly modelId: ModelId; readonly digest: Sha256 }): string =>
    `${directoryName(modelId)}.${digest}`;
  const find = (upload: { readonly modelId: ModelId; readonly digest: Sha256 }): Upload => {
    const found = uploads.get(keyOf(upload));
    if (found !== undefined) return found;
    throw new SkulkError('JOB_NOT_FOUND', `no upload of ${upload.modelId} is under way`, { hint: 'run `skulk add` again; it goes on' });
  };

  const begin: Uploads['begin'] = async (manifest, { force, signal }) => {
    const { model_id: modelId, digest, files } = manifest;
    await clearStale(layout.uploads, world.now());
    const present = await presentManifest(store, modelId);
    if (present !== undefined && present.digest !== digest && !force)
      throw new SkulkError('CONFLICT', `${modelId} is in the store with other content`, {
        hint: 'add --force to replace it, or give another name with --as',
      });
    const key = keyOf({ modelId, digest });
    await uploads.get(key)?.journal[Symbol.asyncDispose]();
    const place = join(layout.uploads, key);
    const known = await readJournal(join(place, 'journal'));
    await makeDirectory(join(place, 'files'));
    const missing = new Set<string>();
    const wanted: { readonly piece: Piece; readonly name: string }[] = [];
    let bytes = 0;
    for (const [file, entry] of files.entries()) {
      const path = join(place, 'files', entry.path);
      const pieces = splitIntoPieces(entry).filter(({ start, end }) => end > start);
      const hinted = pieces.filter((piece) => known.has(pieceKey(piece)));
      const info = await stat(path).catch(() => undefined);
      const good =
        info?.size === entry.size && hinted.length > 0 ? await runHashJob({ kind: 'check', path, pieces: hinted }, { signal }) : [];
      const here = new Set(hinted.filter((_, index) => good[index]).map(({ start }) => start));
      for (const piece of pieces) {
        if (here.has(piece.start)) continue;
        wanted.push({ piece, name: nameOf({ file, start: piece.start }) });
        bytes += piece.end - piece.start;
      }
    }
    await requireRoom(layout.root, bytes, `adding ${modelId}`);
    for (const { path, size } of files) await makeFile(join(place, 'files', path), size);
    const journal = await openJournal(join(place, 'journal'));
    const old = present === undefined ? undefined : await piecesOf(store, present);
    for (const { piece, name } of wanted) {
      const taken = old !== undefined && (await takeOver(piece, old, join(place, 'files', piece.path), signal));
      if (taken) await journal.add(piece);
      else missing.add(name);
    }
    uploads.set(key, { manifest, place, missing, journal });
    return [...missing].map((name) => {
      const [file = 0, start = 0] = name.split(':').map(Number);
      return { file, start };
    });
  };

  const put: Uploads['put'] = async (upload, which, bytes, signal) => {
    const { manifest, place, missing, journal } = find(upload);
    const entry = manifest.files[which.file];
    const piece = entry === undefined ? undefined : pieceAt(entry, which.start);
    if (piece === undefined)
      throw new SkulkError('BAD_REQUEST', 'the manifest has no such piece', { hint: 'send what the answer to the manifest named' });
    const file = join(place, 'files', piece.path);
    const handle = await open(file, 'r+').catch(() => {
      throw new SkulkError('JOB_NOT_FOUND', `the upload of ${upload.modelId} has ended`, { hint: 'run `skulk add` again' });
    });
    try {
      await write(handle, piece, bytes instanceof Uint8Array ? [bytes] : bytes, signal);
    } finally {
      await handle.close();
    }
    // Hashed where nobody else waits for this thread.
    const [isRight] = await runHashJob({ kind: 'check', path: file, pieces: [piece] }, { signal });
    if (!isRight) throw notPromised(piece);
    await journal.add(piece);
    missing.delete(nameOf(which));
  };

  const complete: Uploads['complete'] = async ({ modelId, digest, force, revision }, options): Promise<Adopted> => {
    const upload = find({ modelId, digest });
    const { manifest, place, missing, journal } = upload;
    if (missing.size > 0)
      throw new SkulkError('CONFLICT', `${missing.size} pieces of ${modelId} have not come yet`, {
        hint: 'run `skulk add` again; it goes on',
      });
    uploads.delete(keyOf({ modelId, digest }));
    await journal[Symbol.asyncDispose]();
    const files = join(place, 'files');
    for (const { path } of manifest.files) await syncFile(join(files, path));
    const incoming = await makeIncomingPlace(layout, modelId, files);
    try {
      await renameDurably(files, incoming.files);
      const adopted = await store.adopt(
        { modelId, incoming: incoming.name, digest, force, ...(revision !== undefined && { revision }) },
        options,
      );
      await removeTree(place);
      return adopted;
    } catch (error) {
      await abandonPlace(incoming.path).catch(() => undefined);
      throw error;
    }
  };

  return { begin, put, complete };
}

async function presentManifest(store: LocalStore, modelId: ModelId): Promise<Manifest | undefined> {
  if (!(await store.has(modelId))) return undefined;
  for (;;) {
    const answer = await store.manifest(modelId);
    if (answer.state === 'ready') return answer.manifest;
    if (answer.state === 'hashing')
      throw new SkulkError('STORE_BUSY', `${modelId} is being hashed`, { hint: 'wait a moment', retryAfterMs: answer.retryAfterMs });
  }
}

/** Where the pieces of the model that is there lie, by their digest. */
async function piecesOf(
  store: LocalStore,
  { model_id, files }: Manifest,
): Promise<ReadonlyMap<string, { readonly path: string; readonly piece: Piece }>> {
  const entry = (await store.listModels()).find((known) => known.model_id === model_id);
  const pieces = new Map<string, { path: string; piece: Piece }>();
  if (entry === undefined) return pieces;
  for (const file of files)
    for (const piece of splitIntoPieces(file)) pieces.set(piece.sha256, { path: join(store.root, entry.store_path, file.path), piece });
  return pieces;
}

/** Copies a piece that the store has already; what was copied is checked at its place. */
async function takeOver(
  piece: Piece,
  old: ReadonlyMap<string, { readonly path: string; readonly piece: Piece }>,
  to: string,
  signal: AbortSignal,
): Promise<boolean> {
  const found = old.get(piece.sha256);
  if (found === undefined) return false;
  try {
    const buffer = Buffer.allocUnsafe(piece.end - piece.start);
    const source = await open(found.path, 'r');
    const { bytesRead } = await source.read(buffer, 0, buffer.length, found.piece.start).finally(() => source.close());
    if (bytesRead !== buffer.length) return false;
    const target = await open(to, 'r+');
    await target.write(buffer, 0, buffer.length, piece.start).finally(() => target.close());
    const [isGood] = await runHashJob({ kind: 'check', path: to, pieces: [piece] }, { signal });
    return isGood === true;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

async function makeFile(path: string, size: number): Promise<void> {
  await makeDirectory(dirname(path));
  const info = await stat(path).catch(() => undefined);
  if (info?.size === size) return;
  await rm(path, { force: true });
  const file = await open(path, 'wx');
  await file.truncate(size).finally(() => file.close());
}

async function write(
  handle: FileHandle,
  piece: Piece,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  let at = piece.start;
  for await (const part of bytes) {
    if (signal.aborted) throw signal.reason;
    if (at + part.length > piece.end) throw notPromised(piece);
    for (let done = 0; done < part.length; ) done += (await handle.write(part, done, part.length - done, at + done)).bytesWritten;
    at += part.length;
  }
  if (at !== piece.end) throw notPromised(piece);
}

const notPromised = ({ path, start }: Piece): SkulkError =>
  new SkulkError('INTEGRITY', `the piece of ${quote(path)} at ${start} is not what its manifest says`, {
    hint: 'the file may have changed while it was sent; run `skulk add` again',
  });

async function clearStale(directory: string, now: Date): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const journal = await stat(join(directory, name, 'journal')).catch(() => stat(join(directory, name)).catch(() => undefined));
    if (journal !== undefined && now.getTime() - journal.mtimeMs > staleMs) await removeTree(join(directory, name));
  }
}

/** The bytes that an upload has to send, for progress. */
export const bytesOf = ({ files }: Manifest, missing: readonly MissingPiece[]): number =>
  totalBytes(
    missing.map(({ file, start }) => {
      const entry = files[file];
      const piece = entry === undefined ? undefined : pieceAt(entry, start);
      return { size: piece === undefined ? 0 : piece.end - piece.start };
    }),
  );
