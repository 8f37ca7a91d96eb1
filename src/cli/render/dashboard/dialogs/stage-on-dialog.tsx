import { type ReactElement, useState } from 'react';
import { formatRef, type ModelRef } from '../../../../core/kernel/model-id.ts';
import { Dialog, useDialogLines, useDialogWidth } from '../../parts/dialog.tsx';
import { hintParts } from '../../parts/hints.ts';
import { spread } from '../../parts/spread.ts';
import { useDashboard } from '../context.ts';
import { stageChoices } from './stage-choices.ts';

/** Asks on which other machines to stage, then orders it there. */
export function StageOnDialog({ named }: { readonly named: ModelRef }): ReactElement {
  const { view, acts, open, run } = useDashboard();
  const width = useDialogWidth();
  const maxLines = useDialogLines();
  const name = formatRef(named);
  // The state at the moment of the request: rows must not move under the cursor.
  const [choices] = useState(() => stageChoices(view, named));
  const [index, setIndex] = useState(0);
  const chosen = choices[index];
  if (chosen === undefined)
    return (
      <Dialog
        title={`Stage ${name} on other machines`}
        lines={[['The store does not know any other machine.']]}
        keys={hintParts([['any key', 'continue']], width)}
        onKey={() => open(undefined)}
      />
    );
  const order = (): void => {
    if (chosen.nodes.length === 0) return;
    open(undefined);
    run(() => acts.stageOn(named, chosen.nodes), `asked ${chosen.text} to stage ${name}; enter shows the progress`);
  };
  const from = Math.max(0, Math.min(index - Math.floor(maxLines / 2), choices.length - maxLines));
  const lines = choices.slice(from, from + maxLines).map((choice, at) =>
    spread(
      [
        {
          text: `${from + at === index ? '›' : ' '} ${choice.text}`,
          tone: from + at === index ? 'strong' : choice.nodes.length === 0 ? 'quiet' : 'plain',
        },
      ],
      [{ text: choice.state, tone: choice.tone }],
      width,
    ),
  );
  return (
    <Dialog
      title={`Stage ${name} on other machines`}
      lines={lines}
      keys={hintParts(
        [...(chosen.nodes.length === 0 ? [] : ([['enter', 'stage there']] as const)), ['↑ ↓', 'choose'], ['esc', 'cancel']],
        width,
      )}
      onKey={(key) => {
        if (key === 'escape' || key === 'q') open(undefined);
        else if (key === 'enter') order();
        else if (key === 'up' || key === 'k') setIndex(Math.max(0, index - 1));
        else if (key === 'down' || key === 'j') setIndex(Math.min(choices.length - 1, index + 1));
      }}
    />
  );
}
