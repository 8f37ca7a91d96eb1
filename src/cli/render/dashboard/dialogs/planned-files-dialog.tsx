import { type ReactElement, useEffect, useState } from 'react';
import { formatRef, type ModelRef } from '../../../../core/kernel/model-id.ts';
import type { DownloadPlan, OfferedQuantization, PlannedFile } from '../../../../core/protocol/models/hub-offer.ts';
import { Dialog, useDialogLines, useDialogWidth } from '../../parts/dialog.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { hintParts } from '../../parts/hints.ts';
import { moveInList, newList } from '../../parts/list-state.ts';
import { spread } from '../../parts/spread.ts';
import { cut, widthOf } from '../../parts/text-width.ts';
import { useTask } from '../../parts/use-task.ts';
import type { Part } from '../../parts/words.tsx';
import { errorLines } from './removal-dialog.tsx';

type Lines = readonly (readonly Part[])[];

/** The files that a download takes and leaves, with reasons. */
export function PlannedFilesDialog({
  modelRef: { modelId },
  choice,
  ask,
  onBack,
}: {
  readonly modelRef: ModelRef;
  readonly choice: OfferedQuantization | undefined;
  readonly ask: () => Promise<DownloadPlan | undefined>;
  readonly onBack: () => void;
}): ReactElement {
  const width = useDialogWidth();
  const height = useDialogLines();
  const [top, setTop] = useState(0);
  const { start, isBusy, error, result } = useTask<{ readonly plan: DownloadPlan | undefined }>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: it asks once, when it opens
  useEffect(() => start(async () => ({ plan: await ask() })), []);
  const all: Lines = [...planLines(result?.plan, width), ...errorLines(error, width)];
  const lines = result !== undefined && result.plan === undefined ? [['This store does not list the files it would download.']] : all;
  const lowest = Math.max(0, lines.length - height);
  const shown = Math.min(top, lowest);
  return (
    <Dialog
      title={`Files of ${formatRef({ modelId, ...(choice !== undefined && { selector: choice.label }) })}`}
      lines={lines.slice(shown, shown + height)}
      keys={
        isBusy
          ? [{ text: 'Asking Hugging Face…', tone: 'quiet' }]
          : hintParts([...(lowest > 0 ? ([['↑ ↓', 'scroll']] as const) : []), ['esc', 'back']], width)
      }
      onKey={(key) => {
        if (key === 'escape' || key === 'q' || key === 'f') return onBack();
        const keys = Array.from({ length: lowest + 1 }, (_, index) => String(index));
        const moved = moveInList({ ...newList, chosen: { key: undefined, index: shown } }, key, keys, height);
        if (moved !== undefined) setTop(moved.chosen.index);
      }}
    />
  );
}

/** The files, grouped by reason. */
const planLines = (plan: DownloadPlan | undefined, width: number): Lines =>
  plan === undefined ? [] : [...sectionLines('take', plan.taken, width), ...sectionLines('leave', plan.left, width)];

function sectionLines(verb: 'take' | 'leave', files: readonly PlannedFile[], width: number): Lines {
  const reasons = new Map<string, PlannedFile[]>();
  for (const file of files) reasons.set(file.reason, [...(reasons.get(file.reason) ?? []), file]);
  return [...reasons].flatMap(([reason, same]): Lines => {
    const bytes = formatBytes(same.reduce((sum, { size }) => sum + size, 0));
    const sum = same.length === 1 ? '' : `${plural(same.length, 'file')}, ${bytes}`;
    return [
      spread(
        [
          { text: `${verb.padEnd(5)}  `, tone: verb === 'take' ? 'good' : 'quiet' },
          { text: reason, tone: 'strong' },
        ],
        [sum],
        width,
      ),
      ...same.map(({ path, size }) => {
        const right = formatBytes(size);
        return spread([`  ${cut(path, width - widthOf(right) - 3, 'middle')}`], [right], width);
      }),
    ];
  });
}
