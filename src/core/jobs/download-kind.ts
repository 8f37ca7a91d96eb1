import { createHash } from 'node:crypto';
import { findGroup } from '../catalog/selection/find-group.ts';
import { encodeWantedFiles, isCovered, isParticular, parseWantedFiles, type WantedFiles } from '../catalog/selection/wanted-files.ts';
import { SkulkError } from '../kernel/errors.ts';
import { directoryName, formatRef, type ModelId } from '../kernel/model-id.ts';
import { decode } from '../protocol/decode.ts';
import { type DownloadStatus, downloadRecord, type WantedFilesBody } from '../protocol/downloads.ts';
import type { DownloadRequest } from './contract.ts';
import type { JobKind, JobView } from './job-kind.ts';
import { fractionDone, type Job, type JobStatus } from './job-state.ts';

/** What only a download has. */
export interface DownloadDetails {
  /** What its revision means. */
  readonly commit: string | null;
  /** What a program loads of what is taken; null while it is not known, and without GGUF weights. */
  readonly ggufFile: string | null;
  readonly warnings: readonly string[];
}

/**
 * What there is one download of at a time: a model, or what is wanted of it. Of the same at another revision there is none beside it, as
 * that would replace it.
 */
export function subjectOf({ modelId, revision: _, exact: __, strict: ___, selector, ...wanted }: DownloadRequest): string {
  const wishes = JSON.stringify(encodeWantedFiles({ ...wanted, selector: selector?.toLowerCase() }));
  return wishes === '{}' ? modelId : `${modelId} ${wishes}`;
}

/** Names a download among those of its model: 16 hexadecimal digits. */
export const downloadIdOf = (request: DownloadRequest): string =>
  createHash('sha256').update(subjectOf(request)).digest('hex').slice(0, 16);

/** What files and directories of a download are called; no model's directory has such a name but its own. */
export const fileNameOf = (request: DownloadRequest): string => {
  const { modelId } = request;
  return `${directoryName(modelId)}${subjectOf(request) === modelId ? '' : `~${downloadIdOf(request)}`}`;
};

/** What is downloaded, as a reference. */
const nameOf = ({ modelId, selector, ggufFile }: DownloadRequest): string => formatRef({ modelId, selector: selector ?? ggufFile });

/** Whether a download may bring a quantization that has these files. One that names none completes what is there, so it may bring each. */
export function mayBring({ request, details }: Job<DownloadRequest, DownloadDetails>, files: readonly string[]): boolean {
  const { selector, ggufFile, exact = false } = request;
  // The pin of a card falls back to another one, which is known when the repo was looked at.
  const named = selector ?? (exact ? ggufFile : ggufFile === undefined ? undefined : details.ggufFile);
  if (named == null || isParticular(request)) return true;
  return (
    findGroup(
      files.map((path) => ({ path, size: 0 })),
      named,
    ).state !== 'none'
  );
}

/** Everything of a download but the work itself. */
export const downloadKind = {
  name: 'download',
  describe: (request) => `the download of ${nameOf(request)}`,
  hints: {
    notFound: '`skulk downloads` lists downloads, `skulk uploads` unfinished uploads',
    cancelled: (request) => `downloaded data is kept: \`skulk download ${nameOf(request)}\` resumes`,
  },
  modelOf: ({ modelId }) => modelId,
  subjectOf,
  // Each is added to what the one before it brought.
  laneOf: ({ modelId }) => modelId,
  // The same, or anything when nothing special is asked for.
  isCovered: (request, other) =>
    (request.revision === undefined || request.revision === (other.revision ?? 'main')) && isCovered(request, other),
  conflictOf: (request, running) => {
    const [wanted, now] = [request.revision ?? 'main', running.revision ?? 'main'];
    const difference = wanted === now ? 'without --strict' : `at revision ${now}, not at ${wanted}`;
    return {
      message: `${nameOf(running)} is already being downloaded ${difference}`,
      hint: `run the command again when that has ended, or stop it first: skulk cancel ${nameOf(running)}`,
    };
  },
  initialDetails: (_, before) => ({ commit: before?.details.commit ?? null, ggufFile: before?.details.ggufFile ?? null, warnings: [] }),
} as const satisfies Omit<JobKind<DownloadRequest, DownloadDetails>, 'run'>;

const words = {
  pending: 'pending',
  running: 'downloading',
  complete: 'complete',
  failed: 'failed',
  cancelled: 'failed',
} as const satisfies Record<JobStatus, DownloadStatus['status']>;

/** A download as others see it. */
export const downloadStatus = (job: JobView<DownloadRequest, DownloadDetails>): DownloadStatus => ({
  modelId: job.modelId,
  download_id: downloadIdOf(job.request),
  status: words[job.status],
  progress: fractionDone(job),
  error: job.failure?.message ?? null,
  bytes_done: job.bytesDone,
  bytes_total: job.bytesTotal,
  bytes_per_second: job.bytesPerSecond,
  seconds_left: job.secondsLeft,
  error_code: job.failure?.code ?? null,
  hint: job.failure?.hint ?? null,
  revision: job.request.revision ?? null,
  commit: job.details.commit,
  gguf_file: job.details.ggufFile ?? job.request.ggufFile ?? null,
  selector: job.request.selector ?? null,
  exact: job.request.exact ?? false,
  request: { ...encodeWantedFiles(job.request), ...(job.request.revision !== undefined && { revision: job.request.revision }) },
  warnings: job.details.warnings,
  created_at: job.createdAt,
  updated_at: job.updatedAt,
});

/** What is said of a model that the store holds without a download: it was added, or its job is forgotten. */
export const heldStatus = ({ modelId, bytes, ggufFile, since }: HeldModel): DownloadStatus => ({
  modelId,
  status: 'complete',
  progress: 1,
  error: null,
  bytes_done: bytes,
  bytes_total: bytes,
  bytes_per_second: null,
  seconds_left: null,
  error_code: null,
  hint: null,
  revision: null,
  commit: null,
  gguf_file: ggufFile,
  selector: null,
  exact: false,
  request: {},
  warnings: [],
  created_at: since,
  updated_at: since,
});

/** A model of the store, as far as its download would be told of. */
export interface HeldModel {
  readonly modelId: ModelId;
  readonly bytes: number;
  readonly ggufFile: string | null;
  /** ISO 8601. */
  readonly since: string;
}

/** A download as it is written down (docs/on-disk-format.md, "jobs/"). */
export const encodeDownload = (job: Job<DownloadRequest, DownloadDetails>): object => ({
  version: 1,
  ...downloadStatus({ ...job, bytesPerSecond: null, secondsLeft: null }),
});

/** @throws SkulkError INTEGRITY when it is no job */
export function decodeDownload(value: unknown): Job<DownloadRequest, DownloadDetails> {
  const record = decode(downloadRecord, value);
  if (record === undefined) throw new SkulkError('INTEGRITY', 'it is not a job');
  const { modelId, error, error_code, hint } = record;
  const status = statusIn(record);
  return {
    modelId,
    request: { modelId, revision: record.revision ?? undefined, ...requestIn(value as Readonly<Record<string, unknown>>) },
    status,
    phase: null,
    bytesDone: record.bytes_done,
    bytesTotal: record.bytes_total,
    details: { commit: record.commit, ggufFile: record.request === undefined ? null : record.gguf_file, warnings: record.warnings },
    failure: status === 'failed' || status === 'cancelled' ? { message: error ?? 'no reason given', code: error_code, hint } : null,
    createdAt: record.created_at,
    updatedAt: record.updated_at,
  };
}

/** What was asked for; jobs of earlier versions have it among their own fields. Of the file as it is: see `downloadRecord`. */
function requestIn({ request, ...record }: Readonly<Record<string, unknown>>): WantedFiles {
  const isBody = typeof request === 'object' && request !== null;
  try {
    return parseWantedFiles((isBody ? request : record) as WantedFilesBody);
  } catch (cause) {
    throw new SkulkError('INTEGRITY', 'it asks for impossible files', { cause });
  }
}

const statuses = { pending: 'pending', downloading: 'running', complete: 'complete', failed: 'failed' } as const;

/** What was cancelled is written down as `failed`, as programs know only that word. */
const statusIn = ({ status, error_code }: Pick<DownloadStatus, 'status' | 'error_code'>): JobStatus =>
  status === 'failed' && error_code === 'CANCELLED' ? 'cancelled' : statuses[status];
