import { SkulkError } from '../kernel/errors.ts';
import { decode } from '../protocol/decode.ts';
import { type OptimizationStatus, optimizationRecord } from '../protocol/optimizations.ts';
import type { OptimizeRequest } from './contract.ts';
import type { JobKind, JobView } from './job-kind.ts';
import { fractionDone, type Job, type JobStatus } from './job-state.ts';

/** The fields that only an optimization has. */
export interface OptimizeDetails {
  readonly engineVersion: string | null;
  /** Its activity, as a sentence. */
  readonly message: string;
  /** Its progress from 0 to 1, if the engine reports it, and not in bytes. */
  readonly fraction: number | null;
  /** The path of the result. */
  readonly resultPath: string | null;
  /** Bits per weight of the result. */
  readonly bits: number | null;
  /** The size of the result, or its expected size. */
  readonly resultBytes: number | null;
  readonly warnings: readonly string[];
}

export const emptyDetails: OptimizeDetails = {
  engineVersion: null,
  message: 'starting',
  fraction: null,
  resultPath: null,
  bits: null,
  resultBytes: null,
  warnings: [],
};

/** Everything of an optimization except the work itself. */
export const optimizeKind = {
  name: 'optimization',
  describe: ({ targetId }) => `making ${targetId}`,
  hints: {
    ended: 'nothing is left to stop; `skulk optimizations` lists optimizations',
    notFound: '`skulk optimizations` lists optimizations',
    cancelled: () => 'partial results were removed; to start again, run `skulk optimize` again',
  },
  modelOf: ({ targetId }) => targetId,
  isCovered: (request, other) => request.sourceDigest === other.sourceDigest && isSameRecipe(request, other),
  initialDetails: () => emptyDetails,
} as const satisfies Omit<JobKind<OptimizeRequest, OptimizeDetails>, 'run'>;

/** Whether two requests make the same variant of the same source. */
export const isSameRecipe = (
  one: Pick<OptimizeRequest, 'engine' | 'arguments' | 'modelId'>,
  other: Pick<OptimizeRequest, 'engine' | 'arguments' | 'modelId'>,
): boolean => one.modelId === other.modelId && one.engine === other.engine && one.arguments.join('\0') === other.arguments.join('\0');

const words = { complete: 'complete', failed: 'failed', cancelled: 'failed', pending: 'pending' } as const;

const wordOf = (status: JobStatus, phase: string | null): OptimizationStatus['status'] => {
  if (status !== 'running') return words[status];
  return phase === 'optimizing' || phase === 'converting' ? phase : 'analyzing';
};

/** The public view of an optimization. */
export const optimizationStatusOf = (job: JobView<OptimizeRequest, OptimizeDetails>): OptimizationStatus => {
  const { request, details, failure } = job;
  return {
    modelId: request.modelId,
    status: wordOf(job.status, job.phase),
    progress: job.status === 'running' && details.fraction !== null ? Math.min(0.999, details.fraction) : fractionDone(job),
    message: job.status === 'pending' ? 'waiting for other optimizations' : details.message,
    resultPath: details.resultPath,
    targetBpw: request.targetBpw ?? null,
    achievedBpw: job.status === 'complete' ? details.bits : null,
    estimatedSizeMb: details.resultBytes === null ? null : Math.round(details.resultBytes / 1000) / 1000,
    error: failure?.message ?? null,
    targetId: request.targetId,
    engine: request.engine,
    engineVersion: details.engineVersion,
    type: request.type,
    selector: request.selector ?? null,
    bytes_done: job.bytesDone,
    bytes_total: job.bytesTotal,
    bytes_per_second: job.bytesPerSecond,
    seconds_left: job.secondsLeft,
    warnings: details.warnings,
    error_code: failure?.code ?? null,
    hint: failure?.hint ?? null,
    created_at: job.createdAt,
    updated_at: job.updatedAt,
  };
};

/** An optimization in its saved form (docs/on-disk-format.md, "optimizations/"). */
export function encodeOptimization(job: Job<OptimizeRequest, OptimizeDetails>): object {
  const {
    bytes_per_second: _rate,
    seconds_left: _left,
    ...status
  } = optimizationStatusOf({ ...job, bytesPerSecond: null, secondsLeft: null });
  const { sourceDigest, arguments: args, candidateBits, threads, allowRequantize, force } = job.request;
  const request = {
    source_digest: sourceDigest,
    arguments: args,
    candidate_bits: candidateBits ?? null,
    threads: threads ?? null,
    allow_requantize: allowRequantize ?? false,
    force: force ?? false,
  };
  return { version: 1, ...status, request };
}

/** @throws SkulkError INTEGRITY for an invalid job */
export function decodeOptimization(value: unknown): Job<OptimizeRequest, OptimizeDetails> {
  const record = decode(optimizationRecord, value);
  if (record === undefined) throw new SkulkError('INTEGRITY', 'it is not a job');
  const { request, modelId, targetId, error, error_code, hint, estimatedSizeMb } = record;
  const status = statusIn(record);
  return {
    modelId: targetId,
    request: {
      modelId,
      targetId,
      engine: record.engine,
      type: record.type,
      ...(record.selector !== null && { selector: record.selector }),
      ...(record.targetBpw !== null && { targetBpw: record.targetBpw }),
      ...(request.candidate_bits !== null && { candidateBits: request.candidate_bits }),
      ...(request.threads !== null && { threads: request.threads }),
      allowRequantize: request.allow_requantize,
      force: request.force,
      sourceDigest: request.source_digest,
      arguments: request.arguments,
    },
    status,
    phase: null,
    bytesDone: record.bytes_done,
    bytesTotal: record.bytes_total,
    details: {
      engineVersion: record.engineVersion,
      message: record.message,
      fraction: null,
      resultPath: record.resultPath,
      bits: record.achievedBpw,
      resultBytes: estimatedSizeMb === null ? null : Math.round(estimatedSizeMb * 1_000_000),
      warnings: record.warnings,
    },
    failure: status === 'failed' || status === 'cancelled' ? { message: error ?? 'no reason is known', code: error_code, hint } : null,
    createdAt: record.created_at,
    updatedAt: record.updated_at,
  };
}

const statusIn = ({ status, error_code }: Pick<OptimizationStatus, 'status' | 'error_code'>): JobStatus => {
  if (status === 'failed') return error_code === 'CANCELLED' ? 'cancelled' : 'failed';
  return status === 'pending' || status === 'complete' ? status : 'running';
};
