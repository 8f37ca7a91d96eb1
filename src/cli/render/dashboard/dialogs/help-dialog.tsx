import type { ReactElement } from 'react';
import { Dialog } from '../../parts/dialog.tsx';
import { hintParts } from '../../parts/hints.ts';
import { fill } from '../../parts/text-width.ts';
import type { Part } from '../../parts/words.tsx';
import { useDashboard } from '../context.ts';

const keys: readonly (readonly [keys: string, does: string])[] = [
  ['1 2 3 4, tab, ← →', 'the lists: store, downloads, nodes, this machine'],
  ['↑ ↓, j k', 'up and down; PgUp, PgDn, Home and End as well'],
  ['enter', 'details of what is under the cursor'],
  ['/', 'only what has these words in it; esc shows all again'],
  ['a', 'add a model from Hugging Face by its name'],
  ['s', 'stage the model on this machine'],
  ['c', 'cancel the download, or what is being staged'],
  ['r', 'take up a download that failed'],
  ['p', 'purge staged copies: here, on a machine, everywhere'],
  ['d', 'delete a model from the store and every machine'],
  ['q, Ctrl-C', 'leave; Ctrl-Z and fg work'],
];

/** Every key. */
export function HelpDialog(): ReactElement {
  const { open } = useDashboard();
  return (
    <Dialog
      title="Keys"
      lines={keys.map(([key, does]): readonly Part[] => [{ text: fill(key, 18), tone: 'title' }, ` ${does}`])}
      keys={hintParts([['any key', 'go on']], 60)}
      onKey={() => open(undefined)}
    />
  );
}
