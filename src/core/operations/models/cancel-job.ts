import type { Deps } from '../../connect/deps.ts';
import { SkulkError } from '../../kernel/errors.ts';
import type { ModelRef } from '../../kernel/model-id.ts';
import type { DownloadStatus } from '../../protocol/downloads.ts';
import type { OptimizationStatus } from '../../protocol/optimizations.ts';
import { cancelDownload, listDownloads } from './downloads.ts';
import { cancelOptimization, listOptimizations } from './optimize.ts';

/** The cancelled job. */
export type CancelledJob =
  | { readonly kind: 'download'; readonly stopped: DownloadStatus }
  | { readonly kind: 'optimization'; readonly stopped: OptimizationStatus };

/**
 * Cancels the download of a model. If none is running, cancels the optimization that makes it or reads it. Only one of them is requested,
 * because the log of changes lists failed requests too.
 * @throws SkulkError JOB_NOT_FOUND, CONFLICT if it has ended
 */
export async function cancelJob(deps: Deps, ref: ModelRef): Promise<CancelledJob> {
  return (await findKind(deps, ref)) === 'download'
    ? { kind: 'download', stopped: await cancelDownload(deps, ref) }
    : { kind: 'optimization', stopped: await cancelOptimization(deps, ref) };
}

/** What runs for a model; otherwise what has ended, so that the error can say so. */
async function findKind(deps: Deps, ref: ModelRef): Promise<CancelledJob['kind']> {
  if (ref.selector !== undefined) return 'download';
  const { downloads } = await listDownloads(deps, { recent: true, refs: [ref] });
  if (downloads.some(isOpen)) return 'download';
  const optimizations = await findOptimizations(deps, ref);
  return optimizations.some(isOpen) || (downloads.length === 0 && optimizations.length > 0) ? 'optimization' : 'download';
}

/** An older store, or the Python program, has no such list. */
async function findOptimizations(deps: Deps, ref: ModelRef): Promise<readonly OptimizationStatus[]> {
  try {
    return (await listOptimizations(deps, { recent: true, refs: [ref] })).optimizations;
  } catch (error) {
    if (error instanceof SkulkError && (error.code === 'NOT_FOUND' || error.code === 'JOB_NOT_FOUND')) return [];
    throw error;
  }
}

const isOpen = ({ status }: Pick<DownloadStatus | OptimizationStatus, 'status'>): boolean => status !== 'complete' && status !== 'failed';
