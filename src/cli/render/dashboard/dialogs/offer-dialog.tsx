import { type ReactElement, useState } from 'react';
import { formatRef, type ModelRef } from '../../../../core/kernel/model-id.ts';
import type { HubOffer, OfferedQuantization } from '../../../../core/protocol/models/hub-offer.ts';
import { firstChoice, type OfferPresence, presenceOf } from '../../../../core/protocol/offer-presence.ts';
import { Dialog, type DialogLine, useDialogLines, useDialogWidth } from '../../parts/dialog.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { hintParts } from '../../parts/hints.ts';
import { moveInList, newList, placeList } from '../../parts/list-state.ts';
import { spread } from '../../parts/spread.ts';
import { wrap } from '../../parts/text-width.ts';
import { useTask } from '../../parts/use-task.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';
import { PlannedFilesDialog } from './planned-files-dialog.tsx';
import { errorLines } from './removal-dialog.tsx';

/** The result of looking up a name. */
export interface Found {
  readonly ref: ModelRef;
  /** Undefined if the store cannot list the quantizations. */
  readonly offer: HubOffer | undefined;
  /** The error for a selector that does not exist. */
  readonly refusal?: unknown;
}

/** The number of quantizations that are visible at once. */
const maxVisible = 8;

/** What a download would fetch. Quantizations that the store has or is downloading are marked, and a missing one is selected. */
export function OfferDialog({
  found: { ref, offer, refusal },
  onBack,
}: {
  readonly found: Found;
  readonly onBack: () => void;
}): ReactElement {
  const { view, acts, open, say } = useDashboard();
  const width = useDialogWidth();
  const downloads = (view.store?.downloads ?? []).filter(({ modelId }) => modelId === ref.modelId);
  const choices = offer?.quantizations ?? [];
  const keys = choices.map(({ gguf_file }) => gguf_file);
  const [list, setList] = useState(() => ({ ...newList, chosen: { key: initialChoice(ref, offer, downloads)?.gguf_file, index: 0 } }));
  const [isPlanShown, setPlanShown] = useState(false);
  const begin = useTask<void>();
  const notes = [...keptLines(offer, width), ...errorLines(refusal, width)];
  const visible = Math.max(3, Math.min(maxVisible, useDialogLines() - notes.length - 6));
  const { index, top } = placeList(list, keys, visible);
  const choice = choices[index];
  if (isPlanShown)
    return (
      <PlannedFilesDialog modelRef={ref} choice={choice} onBack={() => setPlanShown(false)} ask={() => acts.plan(ref, choice?.gguf_file)} />
    );
  const isAgain = choice !== undefined && presenceOf(choice, downloads) === 'stored';
  const isAllThere = choices.length > 0 && firstChoice(choices, downloads) === undefined;
  const bytes = choice?.size_bytes ?? offer?.total_bytes;
  const free = view.store?.health?.free_bytes;
  const download = (): void =>
    begin.start(async () => {
      await acts.download(ref, choice?.gguf_file);
      const name = choice === undefined ? ref : { modelId: ref.modelId, selector: choice.label };
      say({ text: `started the download of ${formatRef(name)}; press 2 to see its progress`, tone: 'good' });
      open(undefined);
    });
  const lines: readonly DialogLine[] = [
    ...(offer === undefined
      ? [['The store does not list the quantizations; it chooses one itself.'] as readonly Part[]]
      : [
          spread(
            [{ text: `${ref.revision ?? 'main'}, commit ${offer.commit.slice(0, 12)}`, tone: 'quiet' }],
            [choice === undefined ? `${plural(offer.file_count, 'file')}, ${formatBytes(offer.total_bytes)}` : ''],
            width,
          ),
        ]),
    ...notes,
    ...(choices.length > 0 ? [[]] : []),
    ...choices
      .slice(top, top + visible)
      .map((one, at) => choiceLine(one, { presence: presenceOf(one, downloads), isChosen: top + at === index, width })),
    ...(choices.length > visible ? [[{ text: `${index + 1} of ${choices.length}`, tone: 'quiet' } as const]] : []),
    ...(isAllThere ? [[], [{ text: 'Every quantization is in the store or downloading.', tone: 'quiet' } as const]] : []),
    ...(bytes !== undefined && free !== undefined && bytes > free
      ? [[], [{ text: `! the store has only ${formatBytes(free)} free`, tone: 'warn' } as const]]
      : []),
    ...errorLines(begin.error, width),
  ];
  return (
    <Dialog
      title={`Download ${ref.modelId}`}
      lines={lines}
      keys={
        begin.isBusy
          ? [{ text: 'asking the store…', tone: 'quiet' }]
          : hintParts(
              [
                ['enter', `download${isAgain ? ' again' : ''}${bytes === undefined ? '' : ` ${formatBytes(bytes)}`}`],
                ...(choices.length > 1 ? ([['↑ ↓', 'choose']] as const) : []),
                ...(offer === undefined ? [] : ([['f', 'which files, and why']] as const)),
                ['esc', 'back'],
              ],
              width,
            )
      }
      onKey={(key) => {
        if (begin.isBusy) return;
        if (key === 'enter') return download();
        if (key === 'escape' || key === 'q') return onBack();
        if (key === 'f' && offer !== undefined) return setPlanShown(true);
        setList(moveInList(list, key, keys, visible) ?? list);
      }}
    />
  );
}

/** The first selection: the named quantization, else a missing one, else the recommended one. */
function initialChoice(
  { selector }: ModelRef,
  offer: HubOffer | undefined,
  downloads: Parameters<typeof firstChoice>[1],
): OfferedQuantization | undefined {
  if (offer === undefined) return undefined;
  const { plan, quantizations } = offer;
  const named = quantizations.find(({ gguf_file, label }) =>
    plan === undefined ? selector !== undefined && label === selector.toUpperCase() : gguf_file === plan.gguf_file,
  );
  return named ?? firstChoice(quantizations, downloads) ?? quantizations.find(({ is_preferred }) => is_preferred);
}

/** The note that Hugging Face could not be asked. */
function keptLines(offer: HubOffer | undefined, width: number): readonly (readonly Part[])[] {
  if (offer?.kept === undefined) return [];
  const text = `This is what the repo had at the last download, because Hugging Face cannot be asked: ${offer.kept.reason}`;
  return [[], ...wrap(text, width - 2).map((line, at): readonly Part[] => [{ text: `${at === 0 ? '!' : ' '} ${line}`, tone: 'warn' }])];
}

const marks: Readonly<Record<OfferPresence, Part>> = {
  stored: { text: '  in the store', tone: 'good' },
  older: { text: '  older in the store', tone: 'warn' },
  coming: { text: '  downloading', tone: 'accent' },
  absent: '',
};

const choiceLine = (
  { label, size_bytes, is_preferred }: OfferedQuantization,
  { presence, isChosen, width }: { readonly presence: OfferPresence; readonly isChosen: boolean; readonly width: number },
): readonly Part[] =>
  spread(
    [
      { text: `${isChosen ? '›' : ' '} ${label}`, tone: isChosen ? 'strong' : 'plain' },
      { text: is_preferred ? '  recommended' : '', tone: 'accent' },
      marks[presence],
    ],
    [{ text: formatBytes(size_bytes), tone: isChosen ? 'strong' : 'plain' }],
    width,
  );
