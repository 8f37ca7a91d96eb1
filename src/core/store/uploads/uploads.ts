import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Manifest } from '../../catalog/manifest.ts';
import { chunkSize } from '../../kernel/chunk-size.ts';
import { isSystemError, SkulkError } from '../../kernel/errors.ts';
import { renameDurably } from '../../kernel/files/durable-file.ts';
import { makeDirectory } from '../../kernel/files/make-directory.ts';
import { pause } from '../../kernel/flow/backoff.ts';
import { mapInTurns } from '../../kernel/flow/in-turns.ts';
import { digestOf, isSameDigest } from '../../kernel/secret.ts';
import type { World } from '../../kernel/world.ts';
import { diskRoom, requireRoom, storeReserve } from '../../transfer/disk-room.ts';
import { runHashJob } from '../../transfer/hash-pool.ts';
import { requireDistinctNames } from '../../transfer/name-folding.ts';
import { syncFile } from '../../transfer/sync-file.ts';
import { removeTree } from '../../transfer/trash.ts';
import type {
  Adopted,
  AdoptRequest,
  HostAnnouncement,
  HostUploads,
  ListedUpload,
  LocalStore,
  MissingPiece,
  Sender,
  UploadRef,
  WorkOptions,
} from '../contract.ts';
import { abandonPlace, makeIncomingPlace } from '../ingest/incoming.ts';
import { type Announced, readAnnouncement } from '../ingest/read-announcement.ts';
import { storeLayout } from '../layout.ts';
import { findPiece, type NumberedPiece, type PieceTable, readPieceTable } from '../read/piece-table.ts';
import { checkShare, idleUploads, type OpenUpload, planPlace, reservedBytes, uploadBounds } from './upload-bounds.ts';
import { makeFile, notPromised, openForPiece, piecesOf, takeOver, writePiece } from './upload-files.ts';
import { listStoredUploads, newSecret, noteDone, readDone, type UploadRecord, uploadPaths, writeRecord } from './upload-record.ts';

/** An unfinished upload. Beside a few numbers only one bit a piece is in memory, and that only once it was announced to this process. */
interface Upload {
  readonly key: string;
  readonly record: UploadRecord;
  readonly place: string;
  bytesDone: number;
  lastByteAt: number;
  /** Which pieces are there, a bit each; absent until it is announced again after a restart, and what lies there was hashed again. */
  have?: Bits;
  /** While that is under way. */
  opening?: Promise<void>;
  /** The pieces that are being written, by number: two machines may send the same model. */
  readonly writing: Map<number, Writing>;
  /** What makes the model of it, once somebody asked for that. */
  completing?: Promise<Adopted>;
}

/** A piece that is on its way. */
interface Writing {
  readonly ended: Promise<unknown>;
  readonly lastByteAt: () => number;
  /** Makes way for somebody else who sends it, or for whoever cancels the upload. */
  readonly giveUp: (why: SkulkError) => void;
}

interface OpenOne extends OpenUpload {
  readonly upload: Upload;
}

/** Whoever sends nothing of a piece for so long makes way for another who sends it, in milliseconds. */
const silenceMs = 5_000;
/** How often old uploads are looked for, in milliseconds. */
const sweepEveryMs = 3600_000;
/** So many pieces are looked at before others get a turn. */
const atATime = 1_000;
/** The largest manifest that is taken, in bytes. */
const mostManifestBytes = 64 * 1024 * 1024;

/** What the store's policy says of uploads. */
export interface UploadLimits {
  /** So many may be open at one time. */
  readonly open: number;
  /** One that got nothing for so long is removed, in milliseconds. */
  readonly staleAfterMs: number;
}

const usualLimits: UploadLimits = { open: uploadBounds.open, staleAfterMs: uploadBounds.staleAfterMs };

/** Takes models from other machines into the store on this machine's disk. Nothing of them shows before they are complete. */
export function createUploads(store: LocalStore, world: World, limits: () => Promise<UploadLimits> = async () => usualLimits): HostUploads {
  const layout = storeLayout(store.root);
  const uploads = new Map<string, Upload>();
  const drafts = new Set<string>();
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const tell of listeners) tell();
  };
  const now = (): number => world.now().getTime();
  const open = (): readonly OpenOne[] =>
    [...uploads.values()]
      .filter(({ completing }) => completing === undefined)
      .map((upload) => ({
        upload,
        key: upload.key,
        from: upload.record.from,
        bytesLeft: upload.record.bytes_total - upload.bytesDone,
        lastByteAt: upload.lastByteAt,
      }));

  /** What lies on the disk from before this process. */
  const load = async (): Promise<void> => {
    const stored = await listStoredUploads(layout.uploads);
    for (const { key, record, bytesDone, lastByteAt } of stored.uploads)
      uploads.set(key, { key, record, place: join(layout.uploads, key), bytesDone, lastByteAt, writing: new Map() });
  };
  const ready = load().catch((error: unknown) =>
    world.emit({ type: 'warning', message: `unfinished uploads could not be listed: ${String(error)}` }),
  );

  const remove = async (upload: Upload, why: SkulkError): Promise<void> => {
    uploads.delete(upload.key);
    changed();
    for (const { giveUp } of upload.writing.values()) giveUp(why);
    await Promise.all([...upload.writing.values()].map(({ ended }) => ended));
    await discard(upload.place);
  };
  /** Removes a place, which goes at once, and its files then. */
  const discard = async (place: string): Promise<void> => {
    const gone = join(layout.uploads, `.gone-${randomBytes(8).toString('hex')}`);
    drafts.add(gone);
    try {
      await rename(place, gone);
      await removeTree(gone);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
    } finally {
      drafts.delete(gone);
    }
  };
  const sweep = async (): Promise<void> => {
    await ready;
    const { others } = await listStoredUploads(layout.uploads);
    const { staleAfterMs } = await limits();
    for (const name of others) {
      const place = join(layout.uploads, name);
      if (drafts.has(place)) continue;
      // Under any other name somebody keeps files of their own.
      if (/^\.(?:draft|gone)-[0-9a-f]{16}$/.test(name)) await removeTree(place);
    }
    for (const { upload, lastByteAt } of open())
      if (now() - lastByteAt > staleAfterMs) await remove(upload, gone(upload, 'nobody went on with it'));
    await makeRoom(0, undefined);
  };
  let swept: Promise<void> = Promise.resolve();
  const sweepSafely = (): void => {
    swept = sweep().catch((error: unknown) =>
      world.emit({ type: 'warning', message: `unfinished uploads could not be cleared away: ${String(error)}` }),
    );
  };
  sweepSafely();
  const sweeping = setInterval(sweepSafely, sweepEveryMs);
  sweeping.unref();

  /** Removes idle uploads until what was promised to the others and `bytes` more fit. @param but is not removed */
  const makeRoom = async (bytes: number, but: Upload | undefined): Promise<void> => {
    const others = open().filter(({ upload }) => upload !== but);
    for (const { upload } of idleUploads(others, now())) {
      const room = await diskRoom(layout.root);
      const taken = reservedBytes(others, now());
      if (room.free - taken - bytes >= storeReserve(room)) return;
      await remove(upload, gone(upload, 'its room was needed'));
      world.emit({ type: 'note', message: `removed an idle upload of ${upload.record.model_id}, as its room was needed` });
    }
  };

  const find = ({ modelId, digest, upload: id }: UploadRef): Upload | undefined => {
    const same = [...uploads.values()].filter(
      ({ record, have }) => have !== undefined && record.model_id === modelId && record.digest === digest,
    );
    return same.find(({ record }) => id !== undefined && isEqual(record.secret, id)) ?? (id === undefined ? same.at(-1) : undefined);
  };
  /** Whoever sent the same model too may have been faster. */
  const isThere = async ({ modelId, digest }: UploadRef): Promise<boolean> => (await presentManifest(store, modelId))?.digest === digest;

  let turn: Promise<unknown> = Promise.resolve();
  const announce: HostUploads['announce'] = async (manifest, { modelId, sender, force, signal }) => {
    await ready;
    const draft = join(layout.uploads, `.draft-${randomBytes(8).toString('hex')}`);
    drafts.add(draft);
    try {
      await makeDirectory(draft);
      const path = join(draft, 'manifest.json');
      await receive(manifest, path, signal);
      const announced = await readAnnouncement({ manifest: path, table: uploadPaths(draft).table }, signal);
      await rm(path);
      checkAnnounced(announced, modelId);
      const present = await presentManifest(store, modelId);
      if (present !== undefined && present.digest !== announced.digest && !force)
        throw new SkulkError('CONFLICT', `${modelId} is in the store with other content`, {
          hint: 'add --force to replace it, or give another name with --as',
        });
      await store.requirePlace(modelId);
      const table = await readPieceTable(uploadPaths(draft).table);
      const paths = await mapInTurns(numbersBelow(table.files), (number) => table.file(number).path);
      await requireDistinctNames(store.root, { paths, of: modelId });
      // One after the other, as room is promised once.
      const beginning = turn.then(() => begin(draft, announced, sender));
      turn = beginning.catch(() => undefined);
      const upload = await beginning;
      await takeUp(upload, present, signal);
      return await answer(upload);
    } catch (error) {
      throw isSystemError(error, 'ENOENT') ? ended(modelId) : error;
    } finally {
      await removeTree(draft).catch(() => undefined);
      drafts.delete(draft);
    }
  };

  /** Finds the upload of this very content, or gives it a place. */
  const begin = async (draft: string, announced: Announced, sender: Sender): Promise<Upload> => {
    const { model_id, digest, files, pieces, bytes, table } = announced;
    const key = createHash('sha256').update(`${model_id}\0${digest}\0${table}`).digest('hex').slice(0, 32);
    const known = uploads.get(key);
    if (known !== undefined && (await isDirectory(known.place))) {
      await promiseRoom(known.record.from, known.record.bytes_total - known.bytesDone, model_id, known);
      return known;
    }
    const place = join(layout.uploads, key);
    const { open: most } = await limits();
    const leaving = planPlace(
      open().filter((other) => other.key !== key),
      sender.address,
      now(),
      most,
    );
    const displaced = leaving === undefined ? undefined : uploads.get(leaving);
    if (displaced !== undefined) await remove(displaced, gone(displaced, 'others wanted its place'));
    await promiseRoom(sender.address, bytes, model_id, known);
    const record: UploadRecord = {
      version: 1,
      secret: newSecret(),
      model_id,
      digest,
      files,
      pieces,
      bytes_total: bytes,
      from: sender.address,
      who: sender.who,
      began_at: world.now().toISOString(),
    };
    await makeDirectory(uploadPaths(draft).files);
    await writeRecord(draft, record);
    await rename(draft, place);
    const upload: Upload = { key, record, place, bytesDone: 0, lastByteAt: now(), writing: new Map() };
    uploads.set(key, upload);
    changed();
    return upload;
  };
  const promiseRoom = async (from: string, bytes: number, modelId: string, but: Upload | undefined): Promise<void> => {
    await makeRoom(bytes, but);
    const others = open().filter(({ upload }) => upload !== but);
    const { free } = await diskRoom(layout.root);
    checkShare({ bytes, room: free, from }, others, now());
    await requireRoom(layout.root, bytes + reservedBytes(others, now()), `adding ${modelId}, beside the other uploads,`, { isStore: true });
  };

  /** Looks once at what is there already; whoever announces the same meanwhile waits for it. */
  const takeUp = async (upload: Upload, present: Manifest | undefined, signal: AbortSignal): Promise<void> => {
    while (upload.have === undefined) {
      upload.opening ??= lookAtPieces(upload, present, signal).finally(() => {
        delete upload.opening;
      });
      await upload.opening.catch((error: unknown) => {
        // Whoever announced it first went away.
        if (signal.aborted || !(error instanceof SkulkError) || error.code !== 'INTERRUPTED') throw error;
      });
    }
  };
  const lookAtPieces = async (upload: Upload, present: Manifest | undefined, signal: AbortSignal): Promise<void> => {
    const table = await readPieceTable(uploadPaths(upload.place).table);
    const have = createBits(table.pieces);
    upload.bytesDone = 0;
    await takeHinted(upload, have, table, signal);
    if (present !== undefined) await takeFromOld(upload, have, { table, old: await piecesOf(store, present) }, signal);
    upload.have = have;
    changed();
  };

  const put: HostUploads['put'] = async (ref, which, bytes, signal) => {
    const found = find(ref);
    if (found?.have === undefined) {
      if (await isThere(ref)) return skim(bytes);
      throw ended(ref.modelId);
    }
    const { have } = found;
    const numbered = await findPiece(uploadPaths(found.place).table, which).catch((error: unknown) => {
      throw isSystemError(error, 'ENOENT') ? clearedAway(found) : error;
    });
    if (numbered === undefined)
      throw new SkulkError('BAD_REQUEST', 'the manifest has no such piece', { hint: 'send what the answer to the manifest named' });
    const { number, piece } = numbered;
    for (let other = found.writing.get(number); other !== undefined; other = found.writing.get(number)) {
      await Promise.race([other.ended, pause(silenceMs / 5, signal)]);
      if (performance.now() - other.lastByteAt() > silenceMs)
        other.giveUp(new SkulkError('CONFLICT', `another machine sends this piece of ${ref.modelId} too, and faster`));
    }
    // A piece that is right is not written again: what comes now may be wrong.
    if (have.has(number)) return skim(bytes);
    const ending = new AbortController();
    let lastByteAt = performance.now();
    const onBytes = (): void => {
      lastByteAt = performance.now();
      found.lastByteAt = now();
    };
    const work = putPiece(found.place, numbered, { bytes, onBytes }, AbortSignal.any([signal, ending.signal]));
    found.writing.set(number, { ended: work.catch(() => undefined), lastByteAt: () => lastByteAt, giveUp: (why) => ending.abort(why) });
    try {
      await work;
    } catch (error) {
      throw isSystemError(error, 'ENOENT') ? clearedAway(found) : error;
    } finally {
      found.writing.delete(number);
    }
    count(found, have, number, piece.end - piece.start);
    changed();
  };
  const clearedAway = (upload: Upload): SkulkError => {
    uploads.delete(upload.key);
    changed();
    return ended(upload.record.model_id);
  };

  const complete: HostUploads['complete'] = async (request, options): Promise<Adopted> => {
    const { modelId, digest, force, revision } = request;
    const upload = find(request);
    if (upload?.completing !== undefined)
      return upload.completing.catch((error: unknown) => {
        // Whoever asked first went away.
        throw error instanceof SkulkError && error.code === 'INTERRUPTED' && !options.signal.aborted ? ended(modelId) : error;
      });
    if (upload?.have === undefined) {
      if (!(await isThere(request))) throw ended(modelId);
      const entry = (await store.listModels()).find((known) => known.model_id === modelId);
      if (entry === undefined) throw ended(modelId);
      return { entry, digest, outcome: 'unchanged' };
    }
    const missing = upload.record.pieces - upload.have.count();
    if (missing > 0)
      throw new SkulkError('CONFLICT', `${missing} pieces of ${modelId} have not come yet`, { hint: 'run `skulk add` again; it goes on' });
    const wanted = { modelId, digest, force, ...(revision !== undefined && { revision }) };
    upload.completing = adopt(upload, wanted, options).finally(() => {
      uploads.delete(upload.key);
      changed();
    });
    return upload.completing;
  };

  const adopt = async ({ place }: Upload, request: Omit<AdoptRequest, 'incoming'>, options: WorkOptions): Promise<Adopted> => {
    const { files, table: tablePath } = uploadPaths(place);
    const table = await readPieceTable(tablePath);
    for (let number = 0; number < table.files; number += 1) {
      const { path, size } = table.file(number);
      // No piece made an empty one.
      if (size === 0) await makeFile(join(files, path), 0);
      await syncFile(join(files, path));
    }
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

  return {
    announce,
    put,
    complete,
    list: async () => {
      await ready;
      return [...uploads.values()].map(listed).toSorted((a, b) => (a.began_at < b.began_at ? -1 : 1));
    },
    cancel: async (id, { mayCancelOthers } = { mayCancelOthers: true }) => {
      await ready;
      const all = [...uploads.values()];
      const own = all.find(({ record }) => isEqual(record.secret, id));
      const upload = own ?? all.find(({ key }) => handleOf(key) === id);
      if (upload === undefined)
        throw new SkulkError('JOB_NOT_FOUND', `there is no unfinished upload ${id.slice(0, 40)}`, { hint: '`skulk uploads` lists them' });
      if (own === undefined && !mayCancelOthers)
        throw new SkulkError('FORBIDDEN', 'only an admin may cancel an upload by the ID of the list', {
          hint: 'run `skulk uploads --cancel ID` on the store host, or use a token of role admin',
        });
      if (upload.completing !== undefined)
        throw new SkulkError('CONFLICT', `all of ${upload.record.model_id} is there, and the model is being made of it`, {
          hint: '`skulk delete` removes a model',
        });
      const row = listed(upload);
      await remove(upload, gone(upload, 'it was cancelled'));
      return row;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(sweeping);
      await swept;
    },
  };
}

/** The handle of an upload in lists. */
const handleOf = (key: string): string => key.slice(0, 12);

const listed = ({ key, record, bytesDone, lastByteAt }: Upload): ListedUpload => ({
  id: handleOf(key),
  model_id: record.model_id,
  digest: record.digest,
  from: record.from,
  who: record.who,
  files: record.files,
  bytes_total: record.bytes_total,
  bytes_done: bytesDone,
  began_at: record.began_at,
  last_byte_at: new Date(lastByteAt).toISOString(),
});

const ended = (modelId: string): SkulkError =>
  new SkulkError('JOB_NOT_FOUND', `no upload of ${modelId} is under way`, { hint: 'run `skulk add` again; it goes on' });

const gone = ({ record }: Upload, why: string): SkulkError =>
  new SkulkError('CANCELLED', `the upload of ${record.model_id} was removed: ${why}`, { hint: 'run `skulk add` again' });

function checkAnnounced({ model_id, pieces }: Announced, modelId: string): void {
  if (model_id !== modelId)
    throw new SkulkError('BAD_REQUEST', 'the manifest is of another model than the URL', { hint: 'send what skulk itself makes' });
  if (pieces > uploadBounds.pieces)
    throw new SkulkError('BAD_REQUEST', `${modelId} has ${pieces} pieces; ${uploadBounds.pieces} are taken at most`, {
      hint: 'split it into several models',
    });
}

/** What the journal names is there once it was hashed again. */
async function takeHinted(upload: Upload, have: Bits, table: PieceTable, signal: AbortSignal): Promise<void> {
  const hinted = [...(await readDone(upload.place)).keys()].filter((number) => number < table.pieces).toSorted((a, b) => a - b);
  const byFile = Map.groupBy(await mapInTurns(hinted, (number) => table.piece(number)), ({ file }) => file);
  for (const pieces of byFile.values()) {
    const [first] = pieces;
    if (first === undefined) continue;
    const path = join(uploadPaths(upload.place).files, first.piece.path);
    const info = await stat(path).catch(() => undefined);
    if (info?.size !== first.fileSize) continue;
    const good = await runHashJob({ kind: 'check', path, pieces: pieces.map(({ piece }) => piece) }, { signal });
    for (const [index, { number, piece }] of pieces.entries())
      if (good[index] === true) count(upload, have, number, piece.end - piece.start);
  }
}

/** Copies the pieces that the model which is there shares with the one that comes. */
async function takeFromOld(
  upload: Upload,
  have: Bits,
  { table, old }: { readonly table: PieceTable; readonly old: Awaited<ReturnType<typeof piecesOf>> },
  signal: AbortSignal,
): Promise<void> {
  for (let number = 0; number < table.pieces; number += 1) {
    if (number % atATime === 0) await yieldToOthers();
    if (have.has(number)) continue;
    const { piece, fileSize } = table.piece(number);
    if (!old.has(piece.sha256)) continue;
    const to = join(uploadPaths(upload.place).files, piece.path);
    await makeFile(to, fileSize);
    if (!(await takeOver(piece, old, to, signal))) continue;
    await noteDone(upload.place, { number, bytes: piece.end - piece.start });
    count(upload, have, number, piece.end - piece.start);
  }
}

function count(upload: Upload, have: Bits, number: number, bytes: number): void {
  if (have.has(number)) return;
  have.add(number);
  upload.bytesDone += bytes;
}

async function answer({ record, have, place }: Upload): Promise<HostAnnouncement> {
  const table = await readPieceTable(uploadPaths(place).table);
  return {
    digest: record.digest,
    upload: record.secret,
    missingCount: record.pieces - (have?.count() ?? 0),
    missing: async function* () {
      for (let from = 0; from < table.pieces; from += atATime) {
        const part: MissingPiece[] = [];
        for (let number = from; number < Math.min(from + atATime, table.pieces); number += 1) {
          const { file, start } = table.whereIs(number);
          if (have?.has(number) !== true) part.push({ file, start });
        }
        yield part;
        await yieldToOthers();
      }
    },
  };
}

function* numbersBelow(end: number): Generator<number> {
  for (let number = 0; number < end; number += 1) yield number;
}

/** A set of the numbers below `size`. */
interface Bits {
  has(number: number): boolean;
  add(number: number): void;
  count(): number;
}

function createBits(size: number): Bits {
  const bytes = new Uint8Array(Math.ceil(size / 8));
  let total = 0;
  const has = (number: number): boolean => (((bytes[number >> 3] ?? 0) >> (number & 7)) & 1) === 1;
  return {
    has,
    add: (number) => {
      if (has(number)) return;
      bytes[number >> 3] = (bytes[number >> 3] ?? 0) | (1 << (number & 7));
      total += 1;
    },
    count: () => total,
  };
}

const isEqual = (secret: string, given: string): boolean => isSameDigest(digestOf(secret), digestOf(given));

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );

/** Writes a manifest to the disk as it comes. */
async function receive(manifest: Readable, path: string, signal: AbortSignal): Promise<void> {
  let left = mostManifestBytes;
  const bounded = async function* (parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      left -= part.length;
      if (left < 0)
        throw new SkulkError('BAD_REQUEST', `the manifest has more than ${mostManifestBytes} bytes`, {
          hint: 'split it into several models',
        });
      yield part;
    }
  };
  await pipeline(manifest, bounded, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal }).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : error;
  });
}

/** Takes what is not needed: an answer to a request that is still being sent may end its connection. */
async function skim(bytes: Readable): Promise<void> {
  let left = chunkSize;
  for await (const part of bytes as AsyncIterable<Uint8Array>) {
    left -= part.length;
    // No piece has more, and leaving ends the connection.
    if (left < 0) return;
  }
}

/** Writes a piece to its place, and writes down that it is there once it is what the manifest says. */
async function putPiece(
  place: string,
  { number, piece, fileSize }: NumberedPiece,
  { bytes, onBytes }: { readonly bytes: Readable; readonly onBytes: () => void },
  signal: AbortSignal,
): Promise<void> {
  const { files } = uploadPaths(place);
  const file = join(files, piece.path);
  const handle = await openForPiece(files, file, fileSize);
  try {
    await writePiece(handle, piece, { bytes, onBytes }, signal);
  } finally {
    await handle.close();
  }
  // Hashed where nobody else waits for this thread.
  const [isRight] = await runHashJob({ kind: 'check', path: file, pieces: [piece] }, { signal });
  if (!isRight) throw notPromised(piece);
  await noteDone(place, { number, bytes: piece.end - piece.start });
}

async function presentManifest(store: LocalStore, modelId: Manifest['model_id']): Promise<Manifest | undefined> {
  if (!(await store.has(modelId))) return undefined;
  for (;;) {
    const known = await store.manifest(modelId);
    if (known.state === 'ready') return known.manifest;
    if (known.state === 'hashing')
      throw new SkulkError('STORE_BUSY', `${modelId} is being hashed`, { hint: 'wait a moment', retryAfterMs: known.retryAfterMs });
  }
}
