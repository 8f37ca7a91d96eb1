import { type ReactElement, useState } from 'react';
import { formatRef } from '../../../../core/kernel/model-id.ts';
import { Dialog, useDialogWidth } from '../../parts/dialog.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { hintParts } from '../../parts/hints.ts';
import { spread } from '../../parts/spread.ts';
import { wrap } from '../../parts/text-width.ts';
import type { Part } from '../../parts/words.tsx';
import { type PurgePlace, useDashboard } from '../context.ts';
import { type PurgeChoice, purgeChoices } from './purge-choices.ts';
import { RemovalDialog } from './removal-dialog.tsx';

/** Removes staged copies: asks which ones, then asks for confirmation. Canonical copies stay. */
export function PurgeDialog({ place }: { readonly place: PurgePlace }): ReactElement {
  const { view, acts, open } = useDashboard();
  const { modelId, selector } = place;
  const width = useDialogWidth();
  const [choices] = useState(() => purgeChoices(view, place));
  const [index, setIndex] = useState(0);
  const chosen = choices[index];
  const name = modelId === undefined ? undefined : formatRef({ modelId, selector });
  if (chosen === undefined)
    return (
      <Dialog
        title={name === undefined ? 'Purge' : `Purge ${name}`}
        lines={[[name === undefined ? 'Nothing is staged there.' : 'No machine has staged it.']]}
        keys={hintParts([['any key', 'continue']], width)}
        onKey={() => open(undefined)}
      />
    );
  return (
    <RemovalDialog
      title={name === undefined ? 'Purge staged copies?' : `Purge ${name}?`}
      lines={[
        ...choices.map((choice, at) => choiceLine(choice, { number: at + 1, isChosen: at === index, width })),
        [],
        ...wrap('The store keeps the canonical copy, so it can be staged again.', width).map((text): readonly Part[] => [
          { text, tone: 'quiet' },
        ]),
        ...(choices.length > 1 ? [[{ text: 'Choose with ↑ ↓ or a number.', tone: 'quiet' } as const]] : []),
      ]}
      does="purge"
      done="Purged"
      isUsed={chosen.copies.some(({ in_use }) => in_use)}
      remove={({ force }) => acts.purge({ ...chosen.request, force })}
      onClose={() => open(undefined)}
      onKey={(key) => {
        if (key === 'up' || key === 'k') setIndex(Math.max(0, index - 1));
        else if (key === 'down' || key === 'j') setIndex(Math.min(choices.length - 1, index + 1));
        else if (choices[Number(key) - 1] !== undefined) setIndex(Number(key) - 1);
      }}
    />
  );
}

function choiceLine(
  { text, copies }: PurgeChoice,
  { number, isChosen, width }: { readonly number: number; readonly isChosen: boolean; readonly width: number },
): readonly Part[] {
  const bytes = copies.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  const tone = isChosen ? 'strong' : 'plain';
  return spread(
    [{ text: `${isChosen ? '›' : ' '} ${number} ${text}`, tone }],
    [{ text: `${plural(copies.length, 'copy', 'copies')}, ${formatBytes(bytes)}`, tone }],
    width,
  );
}
