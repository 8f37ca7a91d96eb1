import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, type SkulkError } from '../../kernel/errors.ts';
import type { World } from '../../kernel/world.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import type { LocalStore, UploadRef } from '../contract.ts';
import { type StoreLayout, storeLayout } from '../layout.ts';
import { isSecretOf, type Upload } from './upload.ts';
import type { OpenUpload } from './upload-bounds.ts';
import { listStoredUploads } from './upload-record.ts';

/** What the store's policy says of uploads. */
export interface UploadLimits {
  /** So many may be open at one time. */
  readonly open: number;
  /** One that got nothing for so long is removed, in milliseconds. */
  readonly staleAfterMs: number;
}

/** An upload that still takes pieces. */
export interface OpenOne extends OpenUpload {
  readonly upload: Upload;
}

/** The unfinished uploads of this process, with what all work on them needs. */
export interface UploadTable {
  readonly store: LocalStore;
  readonly world: World;
  readonly layout: StoreLayout;
  readonly limits: () => Promise<UploadLimits>;
  readonly byKey: Map<string, Upload>;
  /** Places that this process fills or empties right now, and that nobody may clear away. */
  readonly busyPlaces: Set<string>;
  /** Settles when what lies on the disk from before this process is in the table. */
  readonly ready: Promise<void>;
  /** In milliseconds since 1970. */
  now(): number;
  open(): readonly OpenOne[];
  /** The upload that is meant, if it was announced to this process. */
  find(ref: UploadRef): Upload | undefined;
  /** Ends an upload and removes what came of it. @param why what whoever sends a piece of it is told */
  remove(upload: Upload, why: SkulkError): Promise<void>;
  /** Tells whoever listens that something changed. */
  changed(): void;
  onChange(listener: () => void): () => void;
}

/** Reads what lies on the disk at once. */
export function createUploadTable(store: LocalStore, world: World, limits: () => Promise<UploadLimits>): UploadTable {
  const layout = storeLayout(store.root);
  const byKey = new Map<string, Upload>();
  const busyPlaces = new Set<string>();
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  const load = async (): Promise<void> => {
    const stored = await listStoredUploads(layout.uploads);
    for (const { key, record, bytesDone, lastByteAt } of stored.uploads)
      byKey.set(key, { key, record, place: join(layout.uploads, key), bytesDone, lastByteAt, writing: new Map() });
  };
  return {
    store,
    world,
    layout,
    limits,
    byKey,
    busyPlaces,
    ready: load().catch((error: unknown) => world.emit({ type: 'warning', message: `cannot list unfinished uploads: ${String(error)}` })),
    now: () => world.now().getTime(),
    open: () => openOnes(byKey.values()),
    find: (ref) => findUpload([...byKey.values()], ref),
    remove: async (upload, why) => {
      byKey.delete(upload.key);
      changed();
      for (const { giveUp } of upload.writing.values()) giveUp(why);
      await Promise.all([...upload.writing.values()].map(({ ended }) => ended));
      await discard(upload.place, layout, busyPlaces);
    },
    changed,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

const openOnes = (uploads: Iterable<Upload>): readonly OpenOne[] =>
  [...uploads]
    .filter(({ completing }) => completing === undefined)
    .map((upload) => ({
      upload,
      key: upload.key,
      from: upload.record.from,
      bytesLeft: upload.record.bytes_total - upload.bytesDone,
      lastByteAt: upload.lastByteAt,
    }));

function findUpload(uploads: readonly Upload[], { modelId, digest, upload: id }: UploadRef): Upload | undefined {
  const same = uploads.filter(({ record, have }) => have !== undefined && record.model_id === modelId && record.digest === digest);
  return same.find((upload) => id !== undefined && isSecretOf(upload, id)) ?? (id === undefined ? same.at(-1) : undefined);
}

/** Removes a place, which goes at once, and its files then. */
async function discard(place: string, { uploads }: StoreLayout, busyPlaces: Set<string>): Promise<void> {
  const gone = join(uploads, `.gone-${randomBytes(8).toString('hex')}`);
  busyPlaces.add(gone);
  try {
    await rename(place, gone);
    await removeTree(gone);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  } finally {
    busyPlaces.delete(gone);
  }
}
