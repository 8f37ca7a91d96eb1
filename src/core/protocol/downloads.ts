import {
  amount,
  count,
  countOrZero,
  errorCodeOrNull,
  flag,
  list,
  listOrEmpty,
  modelId,
  object,
  oneOf,
  orNull,
  relativePath,
  type Shape,
  sha256,
  text,
  textOrEmpty,
  verbatim,
  wholeList,
} from './schema.ts';
import { Type } from './type-builder.ts';

/** A limit for requests from outside: each pattern is compared with each file of a repo. */
export const maxPatterns = 16;
export const maxPatternLength = 200;
const patterns = () => list(text({ minLength: 1, maxLength: maxPatternLength }), { maxItems: maxPatterns });

const anyRevision = 'A branch, tag or commit; absent: any revision that the store has, otherwise `main`';
const revision = (description: string) => Type.Optional(orNull(text({ minLength: 1, maxLength: 255 }), description));

/** Which files of a repo to take; null means absent. */
export const wantedFiles = object({
  gguf_file: Type.Optional(orNull(verbatim({ minLength: 1 }), 'The .gguf file to download, with its shards')),
  selector: Type.Optional(orNull(verbatim({ minLength: 1 }), 'A quantization such as Q5_K_M, or a .gguf path')),
  exact: Type.Optional(
    Type.Boolean({ description: 'Fail if the repo does not have gguf_file, instead of using the preferred quantization' }),
  ),
  weights: Type.Optional(
    orNull(oneOf(['safetensors', 'gguf', 'all']), 'Which weights to download from a repo that has GGUF and safetensors'),
  ),
  include: Type.Optional(orNull(patterns(), 'Download only files that match one of these, and those that are named; * also matches /')),
  exclude: Type.Optional(orNull(patterns(), 'Skip files that match one of these')),
  whole: Type.Optional(Type.Boolean({ description: 'Download every file of the repo' })),
  mmproj: Type.Optional(orNull(verbatim({ minLength: 1 }), 'The projector to download, or all')),
  strict: Type.Optional(Type.Boolean({ description: 'Fail instead of warning if the files cannot be loaded as a model' })),
});
export type WantedFilesBody = Shape<typeof wantedFiles>;

/** Identifies a download. */
export const downloadId = () =>
  Type.String({
    pattern: '^[0-9a-f]{16}$',
    description: 'Identifies it among the downloads of its model; absent from a store with one download per model',
  });

/** The status of a download; sizes in bytes, times ISO 8601. */
export const downloadStatus = object(
  {
    modelId: modelId(),
    download_id: Type.Optional(downloadId()),
    status: oneOf(['pending', 'downloading', 'complete', 'failed']),
    progress: Type.Number({ minimum: 0, maximum: 1, default: 0, description: 'From 0 to 1' }),
    error: orNull(text()),
    bytes_done: countOrZero(),
    bytes_total: countOrZero('Without files that the store already has, unless it has all of them; 0 until the files are known'),
    bytes_per_second: orNull(amount(), 'Averaged over the last seconds; null while unknown'),
    seconds_left: orNull(amount()),
    error_code: errorCodeOrNull(),
    hint: orNull(text()),
    revision: orNull(text()),
    commit: orNull(text()),
    gguf_file: orNull(verbatim(), 'The file to load; until it is known, the requested one. Null without GGUF weights'),
    selector: orNull(text()),
    exact: flag(),
    request: Type.Object(
      { ...wantedFiles.properties, revision: revision(anyRevision) },
      { default: {}, description: 'The request, so that it can be repeated' },
    ),
    warnings: listOrEmpty(text(), { description: 'Warnings, e.g. about files that no program can load' }),
    created_at: textOrEmpty(),
    updated_at: textOrEmpty(),
  },
  { description: 'State of a download' },
);
export type DownloadStatus = Shape<typeof downloadStatus>;

/** The requested model, with its quantization if it was named: `org/name` or `org/name:Q4_K_M`. */
export function nameDownload({ modelId, selector, request }: Pick<DownloadStatus, 'selector' | 'request'> & { modelId: string }): string {
  const part = selector ?? request.gguf_file;
  return part == null ? modelId : `${modelId}:${part}`;
}

/** A unique key of a download: a model may have several. */
export const keyOfDownload = ({ modelId, download_id: id }: Pick<DownloadStatus, 'modelId' | 'download_id'>): string =>
  id === undefined ? modelId : `${modelId} ${id}`;

const { request: _, ...keptStatus } = downloadStatus.properties;
/**
 * A download in its saved form (docs/on-disk-format.md, "jobs/"). `parseWantedFiles` validates its request strictly: if a part of it were
 * dropped, other files would be fetched.
 */
export const downloadRecord = object({ ...keptStatus, request: Type.Optional(Type.Unknown()) });

/** Downloads in the API's list. */
export const downloadList = object({ downloads: list(downloadStatus) });

/** The result of removing ended downloads from the list. */
export const clearedDownloads = object({ cleared: count({ description: 'How many were removed from the list' }) });
export type ClearedDownloads = Shape<typeof clearedDownloads>;

/** The files to fetch from the Hub. */
export const downloadBody = object({
  ...wantedFiles.properties,
  revision: revision(anyRevision),
  source_revision: revision('The same as `revision`; the name in the Python program'),
  extra_gguf_files: Type.Optional(
    orNull(list(verbatim({ minLength: 1 }), { maxItems: 16 }), 'Further .gguf files to download, each in a download of its own'),
  ),
});
export type DownloadBody = Shape<typeof downloadBody>;

/** A chunk that a running download has on the store's disk. The whole file is verified later. */
export const arrivedChunk = object({
  path: relativePath(),
  file_size: count({ description: 'Of the whole file' }),
  start: count(),
  end: count({ description: 'The first byte after it' }),
  sha256: sha256(),
});
export type ArrivedChunk = Shape<typeof arrivedChunk>;

/** The chunks that arrived after a number. */
export const arrivedChunks = object({
  run: orNull(text(), 'Id of this run of the download; numbers of another run mean other chunks. Null if nothing is running'),
  from: count({ description: 'Number of the first chunk' }),
  chunks: wholeList(arrivedChunk),
});
export type ArrivedChunks = Shape<typeof arrivedChunks>;
