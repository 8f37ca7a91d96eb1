import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, type SkulkError } from '../../kernel/errors.ts';
import { describeFailure } from '../../kernel/explain-system-error.ts';
import type { World } from '../../kernel/world.ts';
import { removeTree } from '../../transfer/trash/remove-tree.ts';
import { type StoreLayout, storeLayout } from '../layout.ts';
import type { LocalStore } from '../local-store.ts';
import type { UploadRef } from '../upload-contract.ts';
import { isSecretOf, type Upload } from './upload.ts';
import type { OpenUpload } from './upload-bounds.ts';
import { listStoredUploads } from './upload-record.ts';

/** The store's policy for uploads. */
export interface UploadLimits {
  /** The maximum number of open uploads. */
  readonly open: number;
  /** An upload without new data for this long is removed, in milliseconds. */
  readonly staleAfterMs: number;
}

/** An upload that still receives pieces. */
export interface OpenOne extends OpenUpload {
  readonly upload: Upload;
}

/** The unfinished uploads of this process, with everything that works on them. */
export interface UploadTable {
  readonly store: LocalStore;
  readonly world: World;
  readonly layout: StoreLayout;
  readonly limits: () => Promise<UploadLimits>;
  readonly byKey: Map<string, Upload>;
  /** Directories that this process is filling or removing, and that nothing else may remove. */
  readonly busyPlaces: Set<string>;
  /** Settles when the uploads of earlier processes are in the table. */
  readonly ready: Promise<void>;
  /** In milliseconds since 1970. */
  now(): number;
  open(): readonly OpenOne[];
  /** The upload for a reference, if it was announced to this process. */
  find(ref: UploadRef): Upload | undefined;
  /** Ends an upload and removes its data. @param why the error for anyone who sends a piece of it */
  remove(upload: Upload, why: SkulkError): Promise<void>;
  /** Notifies the listeners of a change. */
  changed(): void;
  onChange(listener: () => void): () => void;
}

/** Starts reading existing uploads from the disk at once. */
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
    ready: load().catch((error: unknown) =>
      world.emit({ type: 'warning', message: describeFailure('cannot list unfinished uploads', error) }),
    ),
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

/** Removes a directory: first it is renamed, then its files are deleted. */
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
