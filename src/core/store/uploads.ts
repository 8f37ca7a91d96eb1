import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Manifest, totalBytes } from '../catalog/manifest.ts';
import { pause } from '../kernel/backoff.ts';
import { chunkSize } from '../kernel/chunk-size.ts';
import { renameDurably } from '../kernel/durable-file.ts';
import { isSystemError, SkulkError } from '../kernel/errors.ts';
import { makeDirectory } from '../kernel/make-directory.ts';
import { directoryName, type ModelId } from '../kernel/model-id.ts';
import type { Sha256 } from '../kernel/sha256.ts';
import type { World } from '../kernel/world.ts';
import { requireRoom } from '../transfer/disk-room.ts';
import { runHashJob } from '../transfer/hash-pool.ts';
import { openJournal, type PartJournal, readJournal } from '../transfer/part-journal.ts';
import { type Piece, pieceAt, pieceKey, splitIntoPieces } from '../transfer/pieces.ts';
import { removeTree } from '../transfer/remove-tree.ts';
import { syncFile } from '../transfer/sync-file.ts';
import type { Adopted, AdoptRequest, LocalStore, MissingPiece, Uploads, WorkOptions } from './contract.ts';
import { abandonPlace, makeIncomingPlace } from './incoming.ts';
import { storeLayout } from './layout.ts';
import { makeFile, notPromised, piecesOf, takeOver, writePiece } from './upload-files.ts';

/** An upload that was begun in this process. */
interface Upload {
  readonly manifest: Manifest;
  readonly place: string;
  readonly missing: Set<string>;
  readonly journal: PartJournal;
  /** The pieces that are being written, by name: two machines may send the same model. */
  readonly writing: Map<string, Writing>;
  /** What makes the model of it, once somebody asked for that. */
  completing?: Promise<Adopted>;
}

/** A piece that is on its way. */
interface Writing {
  readonly ended: Promise<unknown>;
  readonly lastByteAt: () => number;
  /** Makes way for somebody else who sends it. */
  readonly giveUp: () => void;
}

/** Whoever sends nothing of a piece for so long makes way for another who sends it, in milliseconds. */
const silenceMs = 5_000;
/** An upload that nobody went on with for so long is cleared away. */
const staleMs = 7 * 24 * 3600_000;

const nameOf = ({ file, start }: MissingPiece): string => `${file}:${start}`;

/** Takes models from other machines into the store on this machine's disk. Nothing of them shows before they are complete. */
export function createUploads(store: LocalStore, world: World): Uploads {
  const layout = storeLayout(store.root);
  const uploads = new Map<string, Upload>();
  const keyOf = ({ modelId, digest }: { readonly modelId: ModelId; readonly digest: Sha256 }): string =>
    `${directoryName(modelId)}.${digest}`;
  const forget = async (key: string): Promise<void> => {
    const upload = uploads.get(key);
    uploads.delete(key);
    await upload?.journal[Symbol.asyncDispose]();
  };
  /** Whoever sent the same model too may have been faster. */
  const isThere = async ({ modelId, digest }: { readonly modelId: ModelId; readonly digest: Sha256 }): Promise<boolean> =>
    (await presentManifest(store, modelId))?.digest === digest;
  const ended = (modelId: ModelId): SkulkError =>
    new SkulkError('JOB_NOT_FOUND', `no upload of ${modelId} is under way`, { hint: 'run `skulk add` again; it goes on' });

  const beginning = new Map<string, Promise<unknown>>();
  const begin: Uploads['begin'] = async (manifest, options) => {
    const key = keyOf({ modelId: manifest.model_id, digest: manifest.digest });
    // One after the other: the second goes on with what the first has begun.
    const turn = (beginning.get(key) ?? Promise.resolve()).then(() => beginAlone(key, manifest, options));
    const settled = turn.catch(() => undefined).finally(() => beginning.get(key) === settled && beginning.delete(key));
    beginning.set(key, settled);
    return turn;
  };
  const beginAlone = async (
    key: string,
    manifest: Manifest,
    { force, signal }: Parameters<Uploads['begin']>[1],
  ): Promise<readonly MissingPiece[]> => {
    const { model_id: modelId, digest, files } = manifest;
    await clearStale(layout.uploads, world.now(), forget);
    const present = await presentManifest(store, modelId);
    if (present !== undefined && present.digest !== digest && !force)
      throw new SkulkError('CONFLICT', `${modelId} is in the store with other content`, {
        hint: 'add --force to replace it, or give another name with --as',
      });
    const running = uploads.get(key);
    if (running !== undefined) return pieceNumbers(running.missing);
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
    uploads.set(key, { manifest, place, missing, journal, writing: new Map() });
    return pieceNumbers(missing);
  };

  const put: Uploads['put'] = async (upload, which, bytes, signal) => {
    const found = uploads.get(keyOf(upload));
    if (found === undefined) {
      if (await isThere(upload)) return skim(bytes);
      throw ended(upload.modelId);
    }
    const entry = found.manifest.files[which.file];
    const piece = entry === undefined ? undefined : pieceAt(entry, which.start);
    if (piece === undefined)
      throw new SkulkError('BAD_REQUEST', 'the manifest has no such piece', { hint: 'send what the answer to the manifest named' });
    const name = nameOf(which);
    for (let other = found.writing.get(name); other !== undefined; other = found.writing.get(name)) {
      await Promise.race([other.ended, pause(silenceMs / 5, signal)]);
      if (performance.now() - other.lastByteAt() > silenceMs) other.giveUp();
    }
    // A piece that is right is not written again: what comes now may be wrong.
    if (!found.missing.has(name)) return skim(bytes);
    const ending = new AbortController();
    let lastByteAt = performance.now();
    const onBytes = (): void => {
      lastByteAt = performance.now();
    };
    const work = putPiece(found, piece, { bytes, onBytes }, AbortSignal.any([signal, ending.signal]));
    found.writing.set(name, {
      ended: work.catch(() => undefined),
      lastByteAt: () => lastByteAt,
      giveUp: () => ending.abort(new SkulkError('CONFLICT', `another machine sends this piece of ${upload.modelId} too, and faster`)),
    });
    try {
      await work;
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
      // Somebody cleared its place away.
      await forget(keyOf(upload));
      throw ended(upload.modelId);
    } finally {
      found.writing.delete(name);
    }
    found.missing.delete(name);
  };

  const complete: Uploads['complete'] = async (request, options): Promise<Adopted> => {
    const { modelId, digest, force, revision } = request;
    const upload = uploads.get(keyOf(request));
    if (upload?.completing !== undefined)
      return upload.completing.catch((error: unknown) => {
        // Whoever asked first went away.
        throw error instanceof SkulkError && error.code === 'INTERRUPTED' && !options.signal.aborted ? ended(modelId) : error;
      });
    if (upload === undefined) {
      if (!(await isThere(request))) throw ended(modelId);
      const entry = (await store.listModels()).find((known) => known.model_id === modelId);
      if (entry === undefined) throw ended(modelId);
      return { entry, digest, outcome: 'unchanged' };
    }
    if (upload.missing.size > 0)
      throw new SkulkError('CONFLICT', `${upload.missing.size} pieces of ${modelId} have not come yet`, {
        hint: 'run `skulk add` again; it goes on',
      });
    const wanted = { modelId, digest, force, ...(revision !== undefined && { revision }) };
    upload.completing = adopt(upload, wanted, options).finally(() => uploads.delete(keyOf(request)));
    return upload.completing;
  };

  const adopt = async (
    { manifest, place, journal }: Upload,
    request: Omit<AdoptRequest, 'incoming'>,
    options: WorkOptions,
  ): Promise<Adopted> => {
    await journal[Symbol.asyncDispose]();
    const files = join(place, 'files');
    for (const { path } of manifest.files) await syncFile(join(files, path));
    const incoming = await makeIncomingPlace(layout, request.modelId, files);
    try {
      await renameDurably(files, incoming.files);
      const adopted = await store.adopt({ ...request, incoming: incoming.name }, options);
      await removeTree(place);
      return adopted;
    } catch (error) {
      await abandonPlace(incoming.path).catch(() => undefined);
      throw error;
    }
  };

  return { begin, put, complete };
}

const pieceNumbers = (names: ReadonlySet<string>): readonly MissingPiece[] =>
  [...names].map((name) => {
    const [file = 0, start = 0] = name.split(':').map(Number);
    return { file, start };
  });

/** Takes what is not needed: an answer to a request that is still being sent may end its connection. */
async function skim(bytes: Readable | Uint8Array): Promise<void> {
  if (!(bytes instanceof Readable)) return;
  let left = chunkSize;
  for await (const part of bytes as AsyncIterable<Uint8Array>) {
    left -= part.length;
    // No piece has more, and leaving ends the connection.
    if (left < 0) return;
  }
}

/** Writes a piece to its place, and writes down that it is there once it is what the manifest says. */
async function putPiece(
  { place, journal }: Upload,
  piece: Piece,
  { bytes, onBytes }: { readonly bytes: Parameters<Uploads['put']>[2]; readonly onBytes: () => void },
  signal: AbortSignal,
): Promise<void> {
  const file = join(place, 'files', piece.path);
  const handle = await open(file, 'r+');
  try {
    await writePiece(handle, piece, { bytes: bytes instanceof Uint8Array ? Readable.from([bytes]) : bytes, onBytes }, signal);
  } finally {
    await handle.close();
  }
  // Hashed where nobody else waits for this thread.
  const [isRight] = await runHashJob({ kind: 'check', path: file, pieces: [piece] }, { signal });
  if (!isRight) throw notPromised(piece);
  await journal.add(piece);
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

async function clearStale(directory: string, now: Date, forget: (name: string) => Promise<void>): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const journal = await stat(join(directory, name, 'journal')).catch(() => stat(join(directory, name)).catch(() => undefined));
    if (journal === undefined || now.getTime() - journal.mtimeMs <= staleMs) continue;
    await forget(name);
    await removeTree(join(directory, name));
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
