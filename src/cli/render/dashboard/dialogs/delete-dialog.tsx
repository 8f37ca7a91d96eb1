import { type ReactElement, useState } from 'react';
import type { ModelId } from '../../../../core/kernel/model-id.ts';
import { useDialogWidth } from '../../parts/dialog.tsx';
import { formatBytes } from '../../parts/format.ts';
import { spread } from '../../parts/spread.ts';
import { useDashboard } from '../context.ts';
import { RemovalDialog } from './removal-dialog.tsx';
import { placeLine, stagedOn } from './staged-on.ts';

/** Deleting a model from the store and from every machine. */
export function DeleteDialog({ modelId }: { readonly modelId: ModelId }): ReactElement {
  const { view, acts, now, open, look } = useDashboard();
  const width = useDialogWidth();
  // What it was when it was asked; the lists change while the machines delete.
  const [{ canonical, places }] = useState(() => ({
    canonical: view.store?.models?.find(({ model_id }) => model_id === modelId)?.total_bytes ?? 0,
    places: stagedOn(view, modelId, now),
  }));
  const total = places.reduce((sum, { copy }) => sum + copy.size_bytes, canonical);
  return (
    <RemovalDialog
      title={`Delete ${modelId}?`}
      lines={[
        spread(['the store'], [formatBytes(canonical)], width),
        ...places.map((place) => placeLine(place, width)),
        spread([{ text: 'frees in all', tone: 'strong' }], [{ text: formatBytes(total), tone: 'strong' }], width),
        [],
        [{ text: 'It goes from the store and from every machine, and cannot be undone.', tone: 'plain' }],
      ]}
      does="delete everywhere"
      done={`${modelId} was deleted`}
      isUsed={places.some(({ copy }) => copy.in_use)}
      remove={(options) => acts.delete(modelId, options)}
      onClose={(isDone) => {
        open(undefined);
        if (isDone) look(undefined);
      }}
    />
  );
}
