import { type ReactElement, useEffect, useState } from 'react';
import { formatRef, type ModelRef } from '../../../../core/kernel/model-id.ts';
import type { OptimizationPlan } from '../../../../core/protocol/optimizations.ts';
import { Dialog, type DialogLine, useDialogWidth } from '../../parts/dialog.tsx';
import { formatBytes } from '../../parts/format.ts';
import { hintParts } from '../../parts/hints.ts';
import { fill, wrap } from '../../parts/text-width.ts';
import { useTask } from '../../parts/use-task.ts';
import { useDashboard } from '../context.ts';
import { errorLines } from './removal-dialog.tsx';

/** The choices: the maximum bits per weight. */
const targets = [3.5, 4.5, 5, 6, 8.6] as const;
const usualBits = 4.5;

/** Quantizes a model: shows what the store's engine would make for a number of bits, then requests it. */
export function OptimizeDialog({ source }: { readonly source: ModelRef }): ReactElement {
  const { acts, open, say } = useDashboard();
  const width = useDialogWidth();
  const [at, setAt] = useState<number>(targets.indexOf(usualBits));
  const planning = useTask<OptimizationPlan>();
  const begin = useTask<void>();
  const bits = targets[at] ?? usualBits;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the plan is another one for other bits only
  useEffect(() => {
    planning.start(() => acts.planOptimization(source, bits));
  }, [bits]);
  const plan = planning.result;
  const mayStart = plan?.state === 'new' && !begin.isBusy;
  const start = (): void =>
    begin.start(async () => {
      const { targetId } = await acts.optimize(source, bits);
      say({ text: `started the optimization ${targetId}; press 5 to see its progress`, tone: 'good' });
      open(undefined);
    });
  const lines: readonly DialogLine[] = [
    [{ text: 'at most  ', tone: 'quiet' }, { text: `‹ ${bits} ›`, tone: 'strong' }, ' bits per weight'],
    [],
    ...(plan === undefined ? (planning.isBusy ? [[{ text: 'asking the engine…', tone: 'quiet' } as const]] : []) : planLines(plan, width)),
    ...errorLines(planning.error ?? begin.error, width),
  ];
  return (
    <Dialog
      title={`Optimize ${formatRef(source)}`}
      lines={lines}
      keys={
        begin.isBusy
          ? [{ text: 'asking the store…', tone: 'quiet' }]
          : hintParts([...(mayStart ? ([['enter', 'start']] as const) : []), ['← →', 'bits'], ['esc', 'cancel']], width)
      }
      onKey={(key) => {
        if (begin.isBusy) return;
        if (key === 'escape' || key === 'q') open(undefined);
        else if (key === 'enter' && mayStart) start();
        else if (key === 'left' || key === 'right') {
          begin.reset();
          setAt(Math.min(targets.length - 1, Math.max(0, at + (key === 'right' ? 1 : -1))));
        }
      }}
    />
  );
}

const labelColumn = 9;

/** What has to be known before it starts is above what a small screen may cut off. */
function planLines(plan: OptimizationPlan, width: number): readonly DialogLine[] {
  const about = plan.is_exact ? '' : 'about ';
  const line = (label: string, text: string): DialogLine => [{ text: fill(label, labelColumn), tone: 'quiet' }, text];
  const warning = (text: string): readonly DialogLine[] =>
    wrap(text, width - 2).map((part, index): DialogLine => [{ text: `${index === 0 ? '!' : ' '} ${part}`, tone: 'warn' }]);
  const [first = '', ...more] = plan.files;
  return [
    line('result', plan.targetId),
    line('type', `${plan.type}, ${about}${plan.bits} bits per weight`),
    line('size', `${about}${formatBytes(plan.bytes)}, of ${formatBytes(plan.source_bytes)}`),
    ...(plan.state === 'complete' ? [[{ text: 'The store already has this result.', tone: 'good' as const }]] : []),
    ...(plan.state === 'taken' ? [[{ text: 'The store has another model with this name.', tone: 'bad' as const }]] : []),
    ...(plan.room_bytes > plan.free_bytes
      ? warning(`it needs ${formatBytes(plan.room_bytes)}; the store has only ${formatBytes(plan.free_bytes)} free`)
      : []),
    ...plan.warnings.flatMap(warning),
    line('source', `${first}${more.length === 0 ? '' : ` and ${more.length} more`}`),
    line('engine', `${plan.engine}${plan.engineVersion === null ? '' : ` ${plan.engineVersion}`}`),
  ];
}
