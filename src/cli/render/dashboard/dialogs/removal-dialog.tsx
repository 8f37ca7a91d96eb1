import { type ReactElement, useState } from 'react';
import { SkulkError } from '../../../../core/kernel/errors.ts';
import { nodeNames } from '../../../../core/kernel/machine/node-names.ts';
import type { Removal } from '../../../../core/operations/live/acts.ts';
import { Dialog, type DialogLine, useDialogWidth } from '../../parts/dialog.tsx';
import { explain } from '../../parts/explain.ts';
import { formatBytes } from '../../parts/format.ts';
import { hintParts } from '../../parts/hints.ts';
import type { Key } from '../../parts/read-keys.ts';
import { spread } from '../../parts/spread.ts';
import { wrap } from '../../parts/text-width.ts';
import { useTask } from '../../parts/use-task.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';

/** The properties of a question before a removal. */
export interface RemovalDialogProps {
  readonly title: string;
  /** What is removed, and where. */
  readonly lines: readonly DialogLine[];
  /** The action of `y`, e.g. `delete everywhere`. */
  readonly does: string;
  /** The message at the end. */
  readonly done: string;
  /** Whether some of it is in use, so that the removal may be forced. */
  readonly isUsed: boolean;
  readonly remove: (options: { readonly force: boolean }) => Promise<Removal>;
  readonly onClose: (isDone: boolean) => void;
  /** Handles other keys before `y` was typed. */
  readonly onKey?: (key: Key) => void;
}

/**
 * Asks for confirmation, removes after `y`, and shows the result on each machine. If the user leaves in the meantime, the result appears
 * at the bottom of the screen.
 */
export function RemovalDialog({ title, lines, does, done, isUsed, remove, onClose, onKey }: RemovalDialogProps): ReactElement {
  const task = useTask<Removal>();
  const width = useDialogWidth();
  const { view, run } = useDashboard();
  const nameOf = nodeNames(view.store?.nodes ?? []);
  const [force, setForce] = useState(false);
  const [work, setWork] = useState<Promise<Removal>>();
  const begin = (): void => {
    const begun = remove({ force });
    setWork(begun);
    task.start(() => begun);
  };
  const leave = (): void => {
    if (task.isBusy && work !== undefined) run(() => work, done);
    onClose(false);
  };
  if (task.result !== undefined)
    return (
      <Dialog
        title={done}
        tone="good"
        lines={outcomeLines(task.result, nameOf, width)}
        keys={hintParts([['any key', 'continue']], width)}
        onKey={() => onClose(true)}
      />
    );
  const isAsking = !task.isBusy;
  // A copy that a program uses in place is in no list; only the error shows it.
  const isRefused = task.error instanceof SkulkError && task.error.code === 'CONFLICT';
  const mayForce = isUsed || isRefused;
  const keys: readonly Part[] = isAsking
    ? hintParts(
        [
          ['y', task.error === undefined ? does : 'try again'],
          ['esc', 'keep it'],
          ...(mayForce ? ([['f', 'also copies in use']] as const) : []),
        ],
        width,
      )
    : [{ text: 'asking the machines, at most five seconds…', tone: 'quiet' }, ...hintParts([['esc', 'leave']], 12)];
  return (
    <Dialog
      title={title}
      tone="bad"
      lines={[...lines, ...(mayForce ? [forceLine(force, isRefused)] : []), ...errorLines(task.error, width)]}
      keys={keys}
      onKey={(key) => {
        if (key === 'escape') leave();
        else if (!isAsking) return;
        else if (key === 'y') begin();
        else if (key === 'n' || key === 'q') onClose(false);
        else if (key === 'f' && mayForce) setForce(!force);
        else onKey?.(key);
      }}
    />
  );
}

const forceLine = (force: boolean, isRefused: boolean): readonly Part[] =>
  force
    ? [{ text: '[x] also copies in use, at once', tone: 'warn' }]
    : [
        {
          text: isRefused ? '[ ] also copies in use, at once' : '[ ] copies in use are kept until their last use ends',
          tone: 'quiet',
        },
      ];

/** The error, in lines. */
export function errorLines(error: unknown, width: number): readonly (readonly Part[])[] {
  if (error === undefined) return [];
  const { message, hint } = explain(error);
  return [
    [],
    ...wrap(message, width - 2).map((text, index): readonly Part[] => [{ text: `${index === 0 ? '✗' : ' '} ${text}`, tone: 'bad' }]),
    ...(hint === undefined ? [] : wrap(hint, width - 2).map((text): readonly Part[] => [{ text: `  ${text}`, tone: 'quiet' }])),
  ];
}

const doneText = (freed: number): string => (freed === 0 ? 'had nothing to remove' : `freed ${formatBytes(freed)}`);

const words = { done: 'done', deferred: 'later', pending: 'has not answered yet', failed: 'failed', kept: 'kept' } as const;
const tones = { done: 'good', deferred: 'warn', pending: 'warn', failed: 'bad', kept: 'warn' } as const;

function outcomeLines({ freed_bytes, nodes }: Removal, nameOf: ReturnType<typeof nodeNames>, width: number): readonly DialogLine[] {
  return [
    ...nodes.flatMap(({ node, hostname, status, freed_bytes: freed, reason }): readonly (readonly Part[])[] => [
      spread(
        [node === null ? `${hostname}, this machine` : nameOf({ node_id: node, hostname })],
        [{ text: status === 'done' ? doneText(freed) : words[status], tone: tones[status] }],
        width,
      ),
      ...(reason === null ? [] : wrap(reason, width - 2).map((text): readonly Part[] => [{ text: `  ${text}`, tone: 'quiet' }])),
    ]),
    ...(nodes.length > 0 ? [[]] : []),
    spread([{ text: 'freed in total', tone: 'strong' }], [{ text: formatBytes(freed_bytes), tone: 'strong' }], width),
  ];
}
