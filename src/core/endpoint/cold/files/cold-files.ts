import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull, SkulkError, systemCode } from '../../../kernel/errors.ts';
import { describeFailure } from '../../../kernel/explain-system-error.ts';
import type { Emit } from '../../../kernel/flow/events.ts';
import { directoryName, type ModelId } from '../../../kernel/model-id.ts';
import type { Listing, Source, SourceFile } from '../../../sources/source.ts';
import { requireRoom } from '../../../transfer/disk-room.ts';
import type { FileDigest } from '../../../transfer/hashing/hash-job.ts';
import { type ContentId, promiseOf } from '../../../transfer/promised-file.ts';
import type { FilePart } from '../../../transfer/share-bytes.ts';
import { HubFileMoved } from '../../contract.ts';
import { createFileFetch } from '../bytes/file-fetch.ts';
import type { FetchLimits, FileFetch, OpenPartial } from '../bytes/file-fetch-contract.ts';
import { createPartialFile, diskOf, type PartialFile } from './partial-file.ts';

/** A file that is being fetched, or has been, and is not in the store yet. */
export interface ColdFile {
  readonly key: string;
  readonly modelId: ModelId;
  readonly listing: Listing;
  readonly file: SourceFile;
  readonly partial: PartialFile;
  readonly fetch: FileFetch;
  /** Its digest, after it was verified here. */
  digest: FileDigest | undefined;
}

/** The options of `createColdFiles`. */
export interface ColdFilesOptions {
  /** The work directory, with a directory for each model. */
  readonly directory: string;
  readonly source: Source;
  readonly limits: FetchLimits;
  readonly signal: AbortSignal;
  readonly emit: Emit;
  /** Whether the model of a file is being downloaded, so that the file is needed even without readers. */
  readonly isWanted: (file: ColdFile) => boolean;
  /** Called when a file is complete and verified. */
  readonly onVerified: (file: ColdFile) => void;
}

/** The key of a content; the same file in two commits has one key. */
export const keyOf = (modelId: ModelId, path: string, { value }: ContentId): string => `${modelId}\n${path}\n${value}`;

/** The files being fetched, one fetch for all readers of a file. */
export interface ColdFiles {
  find(key: string): ColdFile | undefined;
  all(): readonly ColdFile[];
  /**
   * Returns the running fetch, or starts a new one.
   * @param mayAsk whether the source may be contacted before a download feeds it
   */
  begin(wanted: { readonly modelId: ModelId; readonly listing: Listing; readonly file: SourceFile; readonly mayAsk: boolean }): ColdFile;
  /** Opens a file in the directory of a download, which feeds it. */
  adopt(wanted: {
    readonly modelId: ModelId;
    readonly listing: Listing;
    readonly file: SourceFile;
    readonly path: string;
    readonly present: readonly FilePart[];
  }): ColdFile;
  /** Removes it from the list; current readers continue. */
  forget(file: ColdFile): void;
  /** The file that an earlier process left in the work directory, or an empty one. */
  partialOf(modelId: ModelId, file: SourceFile): PartialFile;
}

/** Nothing is fetched yet. */
export function createColdFiles({ directory, source, limits, signal, emit, isWanted, onVerified }: ColdFilesOptions): ColdFiles {
  const files = new Map<string, ColdFile>();

  const partialOf = (modelId: ModelId, file: SourceFile): PartialFile =>
    createPartialFile({
      directory: join(directory, directoryName(modelId)),
      id: promiseOf(file),
      size: file.size,
      name: file.path,
      signal,
      requireRoom: (bytes) =>
        requireRoom(directory, bytes + promised(keyOf(modelId, file.path, promiseOf(file))), `fetching ${file.path} of ${modelId}`, {
          isStore: true,
        }),
    });
  /** The bytes that other running fetches still need. */
  const promised = (but: string): number =>
    [...files.values()].reduce((sum, { key, fetch }) => sum + (key !== but && fetch.isOpen() ? fetch.size - fetch.bytes() : 0), 0);

  const ended = (cold: ColdFile, failure: { readonly error: unknown } | undefined): void => {
    if (files.get(cold.key) === cold) files.delete(cold.key);
    const { error } = failure ?? {};
    if (failure === undefined || signal.aborted || error instanceof HubFileMoved) return;
    const { modelId, file, partial } = cold;
    const isWrong = error instanceof SkulkError && error.code === 'INTEGRITY';
    emit({
      type: 'warning',
      message: describeFailure(`${file.path} of ${modelId} could not be fetched for a Hub client`, error),
    });
    // Wrong content is useless, and must not keep a full disk full.
    if ((isWrong || isDiskFull(error)) && !partial.isHandedOver()) void partial.remove().catch(() => undefined);
  };
  const make = (
    { modelId, listing, file }: Pick<ColdFile, 'modelId' | 'listing' | 'file'>,
    {
      partial,
      openPartial,
      mayAsk,
    }: { readonly partial: PartialFile; readonly openPartial: () => Promise<OpenPartial>; readonly mayAsk: boolean },
  ): ColdFile => {
    const cold: ColdFile = {
      key: keyOf(modelId, file.path, partial.id),
      modelId,
      listing,
      file,
      partial,
      digest: undefined,
      fetch: createFileFetch({
        size: file.size,
        limits,
        mayAsk,
        openPartial,
        source: {
          open: (range, over) => source.open(listing, file, range, AbortSignal.any([over, signal])),
          isTransient: source.isTransient,
          retry: source.retry,
        },
        onWritten: partial.written,
        verify: async (over) => {
          cold.digest = await partial.verify(over);
          onVerified(cold);
        },
        isWanted: () => isWanted(cold),
        onEnd: (failure) => ended(cold, failure),
      }),
    };
    files.set(cold.key, cold);
    return cold;
  };
  return {
    find: (key) => files.get(key),
    all: () => [...files.values()],
    begin: ({ modelId, listing, file, mayAsk }) => {
      const known = files.get(keyOf(modelId, file.path, promiseOf(file)));
      if (known !== undefined) return known;
      const partial = partialOf(modelId, file);
      return make({ modelId, listing, file }, { partial, openPartial: partial.open, mayAsk });
    },
    adopt: ({ modelId, listing, file, path, present }) => {
      const partial = partialOf(modelId, file);
      partial.lieAt(path);
      const openPartial = async (): Promise<OpenPartial> => {
        const handle = await open(path, 'r+').catch((error: unknown) => {
          throw systemCode(error) === 'ENOENT' ? new HubFileMoved(modelId, file.path, error) : error;
        });
        return { present, disk: diskOf(handle), [Symbol.asyncDispose]: () => handle.close() };
      };
      const cold = make({ modelId, listing, file }, { partial, openPartial, mayAsk: true });
      cold.fetch.setFed(true);
      return cold;
    },
    forget: (cold) => {
      if (files.get(cold.key) === cold) files.delete(cold.key);
    },
    partialOf,
  };
}
