import { stat } from 'node:fs/promises';
import { SkulkError } from '../../../kernel/errors.ts';
import type { ModelId } from '../../../kernel/model-id.ts';
import type { Listing, SourceFile } from '../../../sources/source.ts';
import type { PromisedFile } from '../../../transfer/promised-file.ts';
import type { FilePart, SharedDownload } from '../../../transfer/share-bytes.ts';
import { type ColdFile, type ColdFiles, keyOf } from './cold-files.ts';

/** A file in the directory of a download. */
interface PlacedFile {
  readonly path: string;
  /** The parts that were missing when the download started with it; empty after it was verified. */
  missing: readonly FilePart[];
  /** Whether the download has requested a part of it, so that `missing` may have changed. */
  isMoving: boolean;
}

/** The running downloads, as readers of their files see them. */
export interface SharedDownloads {
  /** Adds a download. */
  share(modelId: ModelId): SharedDownload;
  /** A file that a download is fetching; undefined if there is none. */
  find(modelId: ModelId, file: SourceFile, key: string): ColdFile | undefined;
  /** A file is in the store: current readers continue, and new ones read from the store. */
  close(file: ColdFile): void;
  /** Settles when no download of the model is running, so that its files are in the store or back in the work directory. */
  ended(modelId: ModelId): Promise<void>;
}

/** Starts without downloads. */
export function createSharedDownloads(cold: ColdFiles): SharedDownloads {
  const running = new Map<ModelId, RunningDownload>();
  return {
    share: (modelId) => {
      const download = createRunningDownload(cold, modelId, () => running.delete(modelId));
      running.set(modelId, download);
      return download;
    },
    find: (modelId, file, key) => running.get(modelId)?.adopt(file, key),
    close: (file) => close(cold, file),
    ended: async (modelId) => running.get(modelId)?.ended,
  };
}

interface RunningDownload extends SharedDownload {
  /** Makes a file in its directory readable. */
  adopt(file: SourceFile, key: string): ColdFile | undefined;
  readonly ended: Promise<void>;
}

function createRunningDownload(cold: ColdFiles, modelId: ModelId, onEnd: () => void): RunningDownload {
  const placed = new Map<string, PlacedFile>();
  /** The files that are fed. */
  const fed = new Set<ColdFile>();
  let listing: Listing = { modelId, revision: '', commit: '', files: [] };

  const adopt = (file: SourceFile, key: string): ColdFile | undefined => {
    const known = cold.find(key);
    if (known !== undefined) return known;
    const there = placed.get(key);
    // It is not known here which parts have arrived since.
    if (there === undefined || there.isMoving) return undefined;
    const adopted = cold.adopt({ modelId, listing, file, path: there.path, present: complement(there.missing, file.size) });
    if (there.missing.length === 0) adopted.fetch.confirm();
    fed.add(adopted);
    return adopted;
  };
  const ended = Promise.withResolvers<void>();
  return {
    adopt,
    ended: ended.promise,
    listed: (commit) => {
      listing = { modelId, revision: commit, commit, files: [] };
    },
    takeOver: async (file, to) => {
      if (file.id.kind === 'parts') return undefined;
      const known = cold.find(keyOfPromised(modelId, file));
      if (known !== undefined && !known.partial.isHandedOver()) {
        known.fetch.setFed(true);
        fed.add(known);
        await known.fetch.opened();
        return known.partial.handOver(to);
      }
      const left = cold.partialOf(modelId, toSourceFile(file));
      const info = await stat(left.path()).catch(() => undefined);
      return info?.size === file.size ? left.handOver(to) : undefined;
    },
    begun: (file, path, missing) => {
      if (file.id.kind !== 'parts') placed.set(keyOfPromised(modelId, file), { path, missing, isMoving: false });
    },
    read: (file, part, open, signal) => {
      if (file.id.kind === 'parts') return open(part, signal);
      const key = keyOfPromised(modelId, file);
      const one = adopt(toSourceFile(file), key);
      const there = placed.get(key);
      if (there !== undefined) there.isMoving = true;
      return one === undefined ? open(part, signal) : one.fetch.feed(part, open, signal);
    },
    verified: (file) => {
      const key = keyOfPromised(modelId, file);
      const there = placed.get(key);
      if (there !== undefined) Object.assign(there, { missing: [], isMoving: false });
      const one = cold.find(key);
      one?.fetch.confirm();
      // Of thousands of files, only those with readers stay open.
      if (one !== undefined && !one.fetch.hasReaders()) close(cold, one);
    },
    discard: (file) => {
      const key = keyOfPromised(modelId, file);
      placed.delete(key);
      cold.find(key)?.fetch.fail(
        new SkulkError('INTEGRITY', `${file.path} of ${modelId} does not have the expected content`, {
          hint: 'it is being fetched again; repeat the request',
        }),
      );
    },
    end: async (isPublished) => {
      onEnd();
      for (const one of fed) {
        if (cold.find(one.key) !== one) continue;
        // Published files are served from the store from now on. Current readers have the file open.
        if (isPublished || !one.fetch.hasReaders()) close(cold, one);
        else {
          await one.partial.takeBack().catch((error: unknown) => one.fetch.fail(error));
          one.fetch.setFed(false);
        }
      }
      ended.resolve();
    },
  };
}

/** Removes a file that is in the store, or that is no longer fetched. Current readers have it open. */
function close(cold: ColdFiles, one: ColdFile): void {
  cold.forget(one);
  if (one.fetch.hasReaders()) one.fetch.setFed(false);
  else one.fetch.stop();
}

const keyOfPromised = (modelId: ModelId, { path, id }: PromisedFile): string => keyOf(modelId, path, id);

const toSourceFile = ({ path, size, id }: PromisedFile): SourceFile =>
  id.kind === 'git' ? { path, size, oid: id.value } : { path, size, sha256: id.value as NonNullable<SourceFile['sha256']> };

/** The parts of a file outside the missing ones. @param missing in order */
function complement(missing: readonly FilePart[], size: number): readonly FilePart[] {
  const parts: FilePart[] = [];
  let at = 0;
  for (const { start, end } of missing) {
    if (start > at) parts.push({ start: at, end: start });
    at = end;
  }
  if (at < size) parts.push({ start: at, end: size });
  return parts;
}
