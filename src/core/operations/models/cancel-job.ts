import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { DownloadStatus } from '../../protocol/downloads.ts';
import type { OptimizationStatus } from '../../protocol/optimizations.ts';
import { cancelDownload } from './downloads.ts';
import { cancelOptimization } from './optimize.ts';

/** The cancelled job. */
export type CancelledJob =
  | { readonly kind: 'download'; readonly stopped: DownloadStatus }
  | { readonly kind: 'optimization'; readonly stopped: OptimizationStatus };

/**
 * Cancels the download of a model. If none is running, cancels the optimization that makes it or reads it.
 * @throws SkulkError JOB_NOT_FOUND, CONFLICT if it has ended
 */
export async function cancelJob(deps: Deps, ref: ModelRef): Promise<CancelledJob> {
  try {
    return { kind: 'download', stopped: await cancelDownload(deps, ref) };
  } catch (error) {
    if (!isNothingToStop(error) || ref.selector !== undefined) throw error;
    return { kind: 'optimization', stopped: await cancelOptimization(deps, ref).catch((other: unknown) => refuse(error, other)) };
  }
}

const isNothingToStop = (error: unknown): error is SkulkError =>
  error instanceof SkulkError && (error.code === 'JOB_NOT_FOUND' || error.code === 'CONFLICT');

/** Throws the more useful error: that one of the two has ended. An older store has no optimizations. */
function refuse(ofDownload: SkulkError, other: unknown): never {
  const isKnown = other instanceof SkulkError && (other.code === 'JOB_NOT_FOUND' || other.code === 'NOT_FOUND');
  throw isKnown || (isNothingToStop(other) && ofDownload.code === 'CONFLICT') ? ofDownload : other;
}
