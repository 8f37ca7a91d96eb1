import type { ReactElement } from 'react';
import type { ModelId } from '../../../../core/kernel/model-id.ts';
import { describeHolders } from '../../../../core/protocol/holder.ts';
import type { StagingJob } from '../../../../core/protocol/staging.ts';
import type { OwnCopy } from '../../lists/copies.ts';
import { stagingRows } from '../../lists/copy-columns.ts';
import { amountOf } from '../../lists/download-columns.ts';
import { describeOlder } from '../../lists/older-parts.ts';
import { factLines } from '../../parts/facts.ts';
import { formatAge, formatBytes, formatLeft, formatRate, formatTime } from '../../parts/format.ts';
import { useDashboard } from '../context.ts';
import { actOnCopy } from '../copy-keys.ts';
import { DetailsPage } from './details-page.tsx';
import { useShownModel } from './use-shown-model.ts';

/** A copy of this machine: its path, its users, and whether the budget evicts it; or its progress. */
export function CopyDetailsPage({ modelId }: { readonly modelId: ModelId }): ReactElement {
  const dashboard = useDashboard();
  const { view, acts, now, width } = dashboard;
  const entry = view.store?.models?.find(({ model_id }) => model_id === modelId);
  const { model } = useShownModel(() => acts.show(modelId), `${modelId} ${entry?.downloaded_at} ${entry?.total_bytes}`);
  const row = stagingRows(view.staging, view.jobs).find(({ model_id }) => model_id === modelId);
  if (row === undefined)
    return (
      <DetailsPage title={modelId} lines={[[{ text: '  It is no longer staged on this machine.', tone: 'warn' }]]} onKey={() => false} />
    );
  const older = row.copy && describeOlder(row.copy, model);
  const facts = factLines([...jobFacts(row.job), ...copyFacts(row.copy, older, now), ...unfinishedFacts(row.unfinished)], width);
  return <DetailsPage title={modelId} lines={facts} onKey={(key) => actOnCopy(dashboard, key, row)} />;
}

function jobFacts(job: StagingJob | undefined) {
  if (job === undefined) return [];
  return [
    ['staging', job.status === 'failed' ? 'failed' : (job.waits_for ?? job.doing ?? 'waiting in the queue')],
    ['bytes', amountOf(job)],
    ['rate', formatRate(job.bytes_per_second)],
    ['left', formatLeft(job.seconds_left)],
    ['error', job.error, 'bad'],
    ['hint', job.hint],
  ] as const;
}

function unfinishedFacts(bytes: number | undefined) {
  if (bytes === undefined) return [];
  return [
    ['unfinished', `${formatBytes(bytes)} of it on this machine; s resumes it; skulk reconcile removes it after a week`, 'warn'],
  ] as const;
}

/** Each quantization on a line of its own. */
const partFacts = ({ quantizations }: OwnCopy, now: Date) =>
  quantizations
    .filter(({ selector }) => selector !== null)
    .map(
      ({ selector, size_bytes, last_used, in_use }, index) =>
        [
          index === 0 ? 'quantization' : ' ',
          `${selector}, ${formatBytes(size_bytes)}, ${in_use ? 'in use' : 'idle'}, used ${formatAge(last_used, now)}`,
        ] as const,
    );

function copyFacts(copy: OwnCopy | undefined, older: string | undefined, now: Date) {
  if (copy === undefined) return [];
  const becomes = copy.in_use
    ? 'in use: kept until its last use ends'
    : copy.over_budget
      ? 'idle: evicted when the budget is next applied'
      : 'idle: kept, within the budget';
  return [
    ['path', copy.directory],
    ['size', formatBytes(copy.size_bytes)],
    ...partFacts(copy, now),
    ['sha256', copy.digest ?? 'unknown: staged by another program'],
    ['last used', `${formatTime(copy.last_used)}, ${formatAge(copy.last_used, now)}`],
    ['in use by', describeHolders(copy.holders), 'good'],
    ['state', becomes],
    ['store', older === undefined ? null : `${older} than in the store; s updates it`, 'warn'],
  ] as const;
}
