import { type ReactElement, useState } from 'react';
import { Dialog, useDialogLines, useDialogWidth } from '../../parts/dialog.tsx';
import { hintParts } from '../../parts/hints.ts';
import { fill, wrap } from '../../parts/text-width.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';

const keys: readonly (readonly [keys: string, does: string])[] = [
  ['1 to 7, tab, ← →', 'change to another list'],
  ['↑ ↓, j k', 'up and down; PgUp, PgDn, Home and End as well'],
  ['enter', 'details of the selected row'],
  ['/', 'show only rows with these words; esc shows all again'],
  ['a', 'add a model from Hugging Face by name'],
  ['s', 'stage the model on this machine'],
  ['S', 'stage it on other machines'],
  ['v', 'verify the model in the store'],
  ['o', 'quantize the model in the store'],
  ['c', 'cancel a download, an upload or other work; on a model, its staging'],
  ['r', 'retry what failed'],
  ['x', 'clear an ended download from the list'],
  ['p', 'purge staged copies: here, on a machine, everywhere'],
  ['d', 'delete a model from the store and every machine'],
  ['f', 'forget a machine that is gone'],
  ['m', 'in the log: show older changes'],
  ['q, Ctrl-C', 'quit; Ctrl-Z and fg work'],
];

const keyColumn = 19;

/** All keys; in a small window on several pages. */
export function HelpDialog(): ReactElement {
  const { open } = useDashboard();
  const width = useDialogWidth();
  const maxLines = useDialogLines();
  const [page, setPage] = useState(0);
  const lines = keys.flatMap(([key, does]) =>
    wrap(does, width - keyColumn).map((text, index): readonly Part[] => [
      { text: fill(index === 0 ? key : '', keyColumn), tone: 'title' },
      text,
    ]),
  );
  const from = page * maxLines;
  const isLast = from + maxLines >= lines.length;
  return (
    <Dialog
      title="Keys"
      lines={lines.slice(from, from + maxLines)}
      keys={hintParts(
        isLast
          ? [['any key', 'closes this']]
          : [
              ['any key', 'shows more'],
              ['esc', 'closes this'],
            ],
        width,
      )}
      onKey={(key) => (isLast || key === 'escape' ? open(undefined) : setPage(page + 1))}
    />
  );
}
