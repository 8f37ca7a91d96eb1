import type { ReactElement } from 'react';
import type { ModelId } from '../../../../core/kernel/model-id.ts';
import { amountOf } from '../../lists/download-columns.ts';
import { isUnderWay } from '../../lists/optimization-columns.ts';
import { progressBar } from '../../parts/bar.ts';
import { factLines } from '../../parts/facts.ts';
import { formatAge, formatBytes, formatLeft, formatRate, formatTime } from '../../parts/format.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';
import { actOnOptimization } from '../optimization-keys.ts';
import { DetailsPage } from './details-page.tsx';

/** An optimization: source and result, the progress, and the error if it failed. */
export function OptimizationDetailsPage({ targetId }: { readonly targetId: ModelId }): ReactElement {
  const dashboard = useDashboard();
  const { view, now, width } = dashboard;
  const one = view.store?.optimizations?.find((job) => job.targetId === targetId);
  if (one === undefined)
    return <DetailsPage title={targetId} lines={[[{ text: '  The store no longer lists it.', tone: 'warn' }]]} onKey={() => false} />;
  const { status, progress, modelId, selector, engine, engineVersion, type, estimatedSizeMb, achievedBpw, resultPath } = one;
  const bar: readonly (readonly Part[])[] =
    isUnderWay(one) && progress > 0
      ? [['  ', ...progressBar(progress, Math.min(60, width - 8)), ` ${Math.floor(progress * 100)}%`], []]
      : [];
  const facts = factLines(
    [
      ['status', one.error_code === 'CANCELLED' ? 'cancelled' : status, status === 'failed' ? 'bad' : 'plain'],
      ['now', isUnderWay(one) ? one.message : null],
      ['read', one.bytes_done > 0 ? amountOf(one) : null],
      ['rate', formatRate(one.bytes_per_second)],
      ['left', formatLeft(one.seconds_left)],
      ['error', one.error, 'bad'],
      ['hint', one.hint],
      ['source', `${modelId}${selector === null ? '' : `:${selector}`}`],
      ['engine', `${engine}${engineVersion === null ? '' : ` ${engineVersion}`}`],
      ['type', `${type}${achievedBpw === null ? '' : `, ${achievedBpw} bits per weight`}`],
      ['size', estimatedSizeMb === null ? null : formatBytes(estimatedSizeMb * 1_000_000)],
      ['result', status === 'complete' ? resultPath : null],
      ['warnings', one.warnings.join('; '), 'warn'],
      ['asked', `${formatTime(one.created_at)}, ${formatAge(one.created_at, now)}`],
      ['changed', formatTime(one.updated_at)],
    ],
    width,
  );
  return <DetailsPage title={targetId} lines={[...bar, ...facts]} onKey={(key) => actOnOptimization(dashboard, key, one)} />;
}
