import { type ReactElement, useEffect, useState } from 'react';
import { SkulkError } from '../../../../core/kernel/errors.ts';
import { type ModelRef, parseModelRef } from '../../../../core/kernel/model-id.ts';
import type { DashboardActs } from '../../../../core/operations/live/acts.ts';
import { Dialog, useDialogWidth } from '../../parts/dialog.tsx';
import { hintParts } from '../../parts/hints.ts';
import { TextField } from '../../parts/text-field.tsx';
import { useTask } from '../../parts/use-task.ts';
import { useDashboard } from '../context.ts';
import { type Found, OfferDialog } from './offer-dialog.tsx';
import { errorLines } from './removal-dialog.tsx';

/**
 * Adds a model from Hugging Face by its name: shows what would be downloaded, lets the user choose a GGUF quantization, and requests the
 * download.
 */
export function AddDialog({ initial = '' }: { /** Looked up at once. */ readonly initial?: string | undefined }): ReactElement {
  const { acts, open } = useDashboard();
  const width = useDialogWidth();
  const [text, setText] = useState<string>(initial);
  const lookup = useTask<Found>();
  const find = (): void => lookup.start(async () => lookUp(acts, parseModelRef(text)));
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is typed later is looked up when it is asked for
  useEffect(() => {
    if (initial !== '') find();
  }, []);
  if (lookup.result !== undefined) return <OfferDialog found={lookup.result} onBack={lookup.reset} />;
  return (
    <Dialog
      title="Add a model from Hugging Face"
      lines={[
        <TextField
          key="name"
          label="name  "
          value={text}
          width={width}
          placeholder="org/name, org/name@main or org/name:Q5_K_M"
          onChange={(now) => {
            setText(now);
            // The shown message or the running lookup belongs to another name.
            if (lookup.isBusy || lookup.error !== undefined) lookup.reset();
          }}
          onEnter={() => {
            if (text.trim() !== '' && !lookup.isBusy) find();
          }}
          onEscape={() => open(undefined)}
        />,
        ...errorLines(lookup.error, width),
      ]}
      keys={
        lookup.isBusy
          ? [{ text: 'Asking Hugging Face…', tone: 'quiet' }]
          : hintParts(
              [
                ['enter', 'look it up'],
                ['esc', 'cancel'],
              ],
              width,
            )
      }
      onKey={() => {}}
    />
  );
}

/** An unknown selector is reported beside the existing ones. */
async function lookUp(acts: DashboardActs, ref: ModelRef): Promise<Found> {
  try {
    return { ref, offer: await acts.offer(ref) };
  } catch (error) {
    const { selector, ...whole } = ref;
    if (selector === undefined || !(error instanceof SkulkError) || error.code !== 'FILE_NOT_FOUND') throw error;
    return { ref: whole, offer: await acts.offer(whole), refusal: error };
  }
}
