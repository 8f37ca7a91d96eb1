import { type ReactElement, useState } from 'react';
import { formatRef } from '../../../../core/kernel/model-id.ts';
import { useDialogWidth } from '../../parts/dialog.tsx';
import { formatBytes } from '../../parts/format.ts';
import { spread } from '../../parts/spread.ts';
import { wrap } from '../../parts/text-width.ts';
import type { Part } from '../../parts/words.tsx';
import { type Deletion, useDashboard } from '../context.ts';
import { RemovalDialog } from './removal-dialog.tsx';
import { placeLine, stagedOn } from './staged-on.ts';

/** Deletes a model, or one of its quantizations, from the store and from every machine. */
export function DeleteDialog({ deletion }: { readonly deletion: Deletion }): ReactElement {
  const { view, acts, now, open, show } = useDashboard();
  const width = useDialogWidth();
  const { bytes, others = [], ...ref } = deletion;
  const name = formatRef(ref);
  // The state at the moment of the request; the lists change while the machines delete.
  const [{ canonical, places }] = useState(() => ({
    canonical: bytes ?? view.store?.models?.find(({ model_id }) => model_id === ref.modelId)?.total_bytes ?? 0,
    places: stagedOn(view, ref, now),
  }));
  const total = places.reduce((sum, { copy }) => sum + copy.size_bytes, canonical);
  return (
    <RemovalDialog
      title={`Delete ${name}?`}
      lines={[
        spread(['the store'], [formatBytes(canonical)], width),
        ...places.map((place) => placeLine(place, width)),
        spread([{ text: 'frees in total', tone: 'strong' }], [{ text: formatBytes(total), tone: 'strong' }], width),
        [],
        ...wrap(whatGoes(deletion), width).map((text): readonly Part[] => [text]),
      ]}
      does="delete everywhere"
      done={`${name} was deleted`}
      isUsed={places.some(({ copy }) => copy.in_use)}
      remove={(options) => acts.delete(ref, options)}
      onClose={(isDone) => {
        open(undefined);
        if (isDone && others.length === 0) show(undefined);
      }}
    />
  );
}

function whatGoes({ selector, others = [] }: Deletion): string {
  const always = 'This removes it from the store and from every machine. It cannot be undone.';
  if (selector === undefined) return always;
  return others.length === 0
    ? `${always} It is the only quantization, so the whole model is deleted.`
    : `${always} ${others.join(', ')} ${others.length === 1 ? 'stays' : 'stay'}.`;
}
