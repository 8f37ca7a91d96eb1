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

/** The fields that only a download has. */
export interface DownloadDetails {
  /** The resolved commit of its revision. */
  readonly commit: string | null;
  /** The file that a program loads; null while it is unknown, and without GGUF weights. */
  readonly ggufFile: string | null;
  readonly warnings: readonly string[];
}

/**
 * There is one download at a time per subject: a model, or the wanted part of it. Another revision of the same subject must wait, because
 * it would replace the first.
 */
export function subjectOf({ modelId, revision: _, exact: __, strict: ___, selector, ...wanted }: DownloadRequest): string {
  const wishes = JSON.stringify(encodeWantedFiles({ ...wanted, selector: selector?.toLowerCase() }));
  return wishes === '{}' ? modelId : `${modelId} ${wishes}`;
}

/** The id of a download among those of its model: 16 hexadecimal digits. */
export const downloadIdOf = (request: DownloadRequest): string =>
  createHash('sha256').update(subjectOf(request)).digest('hex').slice(0, 16);

/** The name of a download's files and directories. Only the model's own directory may have such a name. */
export const fileNameOf = (request: DownloadRequest): string => {
  const { modelId } = request;
  return `${directoryName(modelId)}${subjectOf(request) === modelId ? '' : `~${downloadIdOf(request)}`}`;
};

/** The downloaded part, as a reference. */
const nameOf = ({ modelId, selector, ggufFile }: DownloadRequest): string => formatRef({ modelId, selector: selector ?? ggufFile });

/**
 * Whether a download may fetch a quantization with these files. A download without a selector completes the existing ones, so it may
 * fetch each.
 */
export function mayBring({ request, details }: Job<DownloadRequest, DownloadDetails>, files: readonly string[]): boolean {
  const { selector, ggufFile, exact = false } = request;
  // If the card's pin is missing, another file is selected, which is known after the repo was read.
  const named = selector ?? (exact ? ggufFile : ggufFile === undefined ? undefined : details.ggufFile);
  if (named == null || isParticular(request)) return true;
  return (
    findGroup(
      files.map((path) => ({ path, size: 0 })),
      named,
    ).state !== 'none'
  );
}

/** Everything of a download except the work itself. */
export const downloadKind = {
  name: 'download',
  describe: (request) => `the download of ${nameOf(request)}`,
  hints: {
    notFound: '`skulk downloads` lists downloads, `skulk uploads` unfinished uploads',
    ended: 'nothing is left to stop; `skulk downloads --clear` removes ended downloads from the list',
    cancelled: (request) => `downloaded data is kept: \`skulk download ${nameOf(request)}\` resumes`,
  },
  modelOf: ({ modelId }) => modelId,
  subjectOf,
  // Each one is added to the result of the previous one.
  laneOf: ({ modelId }) => modelId,
  // The same request, or any other one if there are no special options.
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

/** The public view of a download. */
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

/** The status of a model in the store without a download: it was added, or its job was removed. */
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

/** The fields of a stored model that its download would have. */
export interface HeldModel {
  readonly modelId: ModelId;
  readonly bytes: number;
  readonly ggufFile: string | null;
  /** ISO 8601. */
  readonly since: string;
}

/** A download in its saved form (docs/on-disk-format.md, "jobs/"). */
export const encodeDownload = (job: Job<DownloadRequest, DownloadDetails>): object => ({
  version: 1,
  ...downloadStatus({ ...job, bytesPerSecond: null, secondsLeft: null }),
});

/** @throws SkulkError INTEGRITY for an invalid job */
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

/** The request; earlier versions have its fields in the job itself. Reads the file's own format: see `downloadRecord`. */
function requestIn({ request, ...record }: Readonly<Record<string, unknown>>): WantedFiles {
  const isBody = typeof request === 'object' && request !== null;
  try {
    return parseWantedFiles((isBody ? request : record) as WantedFilesBody);
  } catch (cause) {
    throw new SkulkError('INTEGRITY', 'it asks for impossible files', { cause });
  }
}

const statuses = { pending: 'pending', downloading: 'running', complete: 'complete', failed: 'failed' } as const;

/** A cancelled job is saved as `failed`, because other programs only know that status. */
const statusIn = ({ status, error_code }: Pick<DownloadStatus, 'status' | 'error_code'>): JobStatus =>
  status === 'failed' && error_code === 'CANCELLED' ? 'cancelled' : statuses[status];
