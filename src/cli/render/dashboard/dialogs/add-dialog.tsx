import { type ReactElement, useEffect, useState } from 'react';
import { type ModelId, type ModelRef, parseModelRef } from '../../../../core/kernel/model-id.ts';
import type { DownloadStatus } from '../../../../core/protocol/downloads.ts';
import type { HubOffer } from '../../../../core/protocol/models.ts';
import { Dialog, type DialogLine, useDialogWidth } from '../../parts/dialog.tsx';
import { formatBytes, plural } from '../../parts/format.ts';
import { hintParts } from '../../parts/hints.ts';
import { moveInList, newList, placeList } from '../../parts/list-state.ts';
import { spread } from '../../parts/spread.ts';
import { TextField } from '../../parts/text-field.tsx';
import { useTask } from '../../parts/use-task.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';
import { errorLines } from './removal-dialog.tsx';

/** The result of a lookup. */
interface Found {
  readonly ref: ModelRef;
  /** Undefined if the store cannot plan downloads. */
  readonly offer: HubOffer | undefined;
}

/** The number of visible quantizations. */
const maxVisible = 8;

/**
 * Adds a model from Hugging Face by its name: shows what would be downloaded, lets the user choose a GGUF quantization, and requests the
 * download.
 */
export function AddDialog({ initial = '' }: { /** Looked up at once. */ readonly initial?: string | undefined }): ReactElement {
  const { acts, open } = useDashboard();
  const width = useDialogWidth();
  const [text, setText] = useState<string>(initial);
  const look = useTask<Found>();
  const find = (): void =>
    look.start(async () => {
      const ref = parseModelRef(text);
      return { ref, offer: await acts.offer(ref) };
    });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is typed later is looked up when it is asked for
  useEffect(() => {
    if (initial !== '') find();
  }, []);
  if (look.result !== undefined) return <OfferDialog found={look.result} onBack={look.reset} />;
  return (
    <Dialog
      title="Add a model from Hugging Face"
      lines={[
        <TextField
          key="name"
          label="name  "
          value={text}
          width={width}
          placeholder="org/name, org/name@revision or org/name:Q5_K_M"
          onChange={(now) => {
            setText(now);
            // The shown message or the running lookup belongs to another name.
            if (look.isBusy || look.error !== undefined) look.reset();
          }}
          onEnter={() => {
            if (text.trim() !== '' && !look.isBusy) find();
          }}
          onEscape={() => open(undefined)}
        />,
        ...errorLines(look.error, width),
      ]}
      keys={
        look.isBusy
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

/** The description of the possible download. */
function OfferDialog({ found: { ref, offer }, onBack }: { readonly found: Found; readonly onBack: () => void }): ReactElement {
  const { view, acts, open, say } = useDashboard();
  const width = useDialogWidth();
  const choices = offer?.quantizations ?? [];
  const keys = choices.map(({ gguf_file }) => gguf_file);
  const isComing = (one: Offered): boolean => isOnItsWay(one, view.store?.downloads ?? [], ref.modelId);
  const [list, setList] = useState(() => ({ ...newList, chosen: { key: offer && firstChoice(offer, ref.selector, isComing), index: 0 } }));
  const begin = useTask<void>();
  const { index, top } = placeList(list, keys, maxVisible);
  const choice = choices[index];
  const bytes = choice?.size_bytes ?? offer?.total_bytes;
  const free = view.store?.health?.free_bytes;
  const download = (): void =>
    begin.start(async () => {
      await acts.download(ref, choice?.gguf_file);
      say({ text: `started the download of ${ref.modelId}; press 2 to see its progress`, tone: 'good' });
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
    ...(choices.length > 0 ? [[]] : []),
    ...choices
      .slice(top, top + maxVisible)
      .map((one, at) => choiceLine(one, { isComing: isComing(one), isChosen: top + at === index, width })),
    ...(choices.length > maxVisible ? [[{ text: `${index + 1} of ${choices.length}`, tone: 'quiet' } as const]] : []),
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
                ['enter', `download${bytes === undefined ? '' : ` ${formatBytes(bytes)}`}`],
                ...(choices.length > 1 ? ([['↑ ↓', 'choose']] as const) : []),
                ['esc', 'back'],
              ],
              width,
            )
      }
      onKey={(key) => {
        if (begin.isBusy) return;
        if (key === 'enter') return download();
        if (key === 'escape' || key === 'q') return onBack();
        setList(moveInList(list, key, keys, maxVisible) ?? list);
      }}
    />
  );
}

type Offered = HubOffer['quantizations'][number];

/** Whether the store is already downloading a quantization. */
const isOnItsWay = ({ label, gguf_file, is_preferred }: Offered, downloads: readonly DownloadStatus[], modelId: ModelId): boolean =>
  downloads.some((one) => {
    if (one.modelId !== modelId || (one.status !== 'pending' && one.status !== 'downloading')) return false;
    // The files are only known after Hugging Face has answered.
    if (one.gguf_file === null) return one.selector === null ? is_preferred : one.selector.toLowerCase() === label.toLowerCase();
    return one.gguf_file === gguf_file;
  });

/** The initial choice: the named one, else the recommended one or another that is not in the store yet, else the recommended one. */
function firstChoice(
  { plan, quantizations }: HubOffer,
  selector: string | undefined,
  isComing: (one: Offered) => boolean,
): string | undefined {
  const named = quantizations.find(({ gguf_file, label }) =>
    plan === undefined ? selector !== undefined && label === selector.toUpperCase() : gguf_file === plan.gguf_file,
  );
  const absent = quantizations.filter((one) => !one.in_store && !isComing(one));
  const isPreferred = ({ is_preferred }: Offered): boolean => is_preferred;
  return (named ?? absent.find(isPreferred) ?? absent[0] ?? quantizations.find(isPreferred))?.gguf_file;
}

function choiceLine(
  { label, size_bytes, is_preferred, in_store }: Offered,
  { isComing, isChosen, width }: { readonly isComing: boolean; readonly isChosen: boolean; readonly width: number },
): readonly Part[] {
  return spread(
    [
      { text: `${isChosen ? '›' : ' '} ${label}`, tone: isChosen ? 'strong' : 'plain' },
      { text: is_preferred ? '  recommended' : '', tone: 'accent' },
      { text: in_store ? '  in the store' : '', tone: 'good' },
      { text: isComing && !in_store ? '  downloading' : '', tone: 'accent' },
    ],
    [{ text: formatBytes(size_bytes), tone: isChosen ? 'strong' : 'plain' }],
    width,
  );
}
