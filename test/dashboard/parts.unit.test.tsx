import { type ReactElement, useState } from 'react';
import { describe, expect, test } from 'vitest';
import { Dialog } from '../../src/cli/render/parts/dialog.tsx';
import type { Column } from '../../src/cli/render/parts/lay-out.ts';
import { List } from '../../src/cli/render/parts/list.tsx';
import { type ListState, moveInList, newList } from '../../src/cli/render/parts/list-state.ts';
import { TextField } from '../../src/cli/render/parts/text-field.tsx';
import { Line } from '../../src/cli/render/parts/words.tsx';
import { show } from './show-part.tsx';

const [down, up, pageDown, home, end] = ['\u001b[B', '\u001b[A', '\u001b[6~', '\u001b[H', '\u001b[F'] as const;
const columns: readonly Column<string>[] = [{ title: 'NAME', flexMinWidth: 10, cell: (row) => row }];
const letters = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `row-${letter}`);

function TestList({
  rows,
  onState,
  onKey,
}: {
  readonly rows: readonly string[];
  readonly onState?: (change: (state: ListState) => ListState) => void;
  readonly onKey?: (key: string, row: string | undefined) => boolean;
}): ReactElement {
  const [state, setState] = useState(newList);
  return (
    <List
      columns={columns}
      rows={rows}
      keyOf={(row) => row}
      wordsOf={(row) => row}
      width={40}
      height={6}
      state={state}
      onState={onState ?? setState}
      empty={['There is nothing.']}
      onKey={onKey ?? (() => false)}
    />
  );
}

describe('a list on the screen', () => {
  const chosen = (frame: string): string | undefined => /^› (\S+)/m.exec(frame)?.[1];

  test('moves its cursor with all usual keys, and stays within its rows', async () => {
    const { press, seen } = show(<TestList rows={letters} />);
    expect(chosen(seen())).toBe('row-a');
    for (const [keys, row] of [
      [[down, 'j'], 'row-c'],
      [[up, 'k', 'k'], 'row-a'],
      [[pageDown], 'row-e'],
      [[end], 'row-z'],
      [['j'], 'row-z'],
      [[home], 'row-a'],
      [['jjj'], 'row-d'],
    ] as const) {
      await press(...keys);
      expect([keys, chosen(seen())]).toEqual([keys, row]);
    }
  });

  test('keeps its cursor on a row that moves, and near a row that disappears', async () => {
    const { press, seen, again } = show(<TestList rows={['b', 'd', 'f']} />);
    await press('j');
    again(<TestList rows={['a', 'b', 'c', 'd', 'f']} />);
    await press('');
    expect(chosen(seen())).toBe('d');
    again(<TestList rows={['a', 'b', 'c', 'f']} />);
    await press('');
    expect(chosen(seen())).toBe('f');
    again(<TestList rows={['a', 'b', 'c', 'd', 'f']} />);
    await press('');
    // A copy that reappeared is not the one that was seen before.
    expect(chosen(seen())).toBe('f');
    again(<TestList rows={[]} />);
    expect(seen()).toContain('There is nothing.');
  });

  test('keeps a cursor move that arrives between two frames', async () => {
    const changes: ((state: ListState) => ListState)[] = [];
    const rows = ['a', 'b', 'c'];
    show(<TestList rows={rows} onState={(change) => void changes.push(change)} />);
    await expect.poll(() => changes.length).toBeGreaterThan(0);
    const moved = moveInList(newList, 'j', rows, 5) ?? newList;
    expect(changes.reduce((state, change) => change(state), moved).chosen).toEqual({ key: 'b', index: 1 });
    expect(changes.reduce((state, change) => change(state), newList).chosen).toEqual({ key: 'a', index: 0 });
  });

  test('is filtered by words, and shows all rows again', async () => {
    const { press, seen } = show(<TestList rows={['org/Qwen vision', 'org/Llama', 'me/Qwen']} />);
    await press('/', 'qwen ORG');
    expect(seen()).toContain('1 of 3');
    expect(seen()).not.toContain('Llama');
    await press('x');
    expect(seen()).toContain('Nothing matches.');
    await press('\u007f', '\r', '\u001b');
    expect(seen()).toContain('Llama');
  });

  test('passes other keys on with the row under the cursor, and ignores pasted text', async () => {
    const heard: unknown[] = [];
    const { press } = show(<TestList rows={['a', 'b']} onKey={(...press_) => heard.push(press_) > 0} />);
    await press('j', 'd', '\r', '\u001b[200~dy\r\u001b[201~');
    expect(heard).toEqual([
      ['d', 'b'],
      ['enter', 'b'],
    ]);
  });
});

function TestField({ onEnter }: { readonly onEnter: (text: string) => void }): ReactElement {
  const [text, setText] = useState('');
  return <TextField label="name " value={text} width={30} placeholder="a name" onChange={setText} onEnter={() => onEnter(text)} />;
}

describe('a text field', () => {
  test('has the keys of a shell, and accepts pasted text without its line ends', async () => {
    const entered: string[] = [];
    const { press, seen } = show(<TestField onEnter={(text) => entered.push(text)} />);
    expect(seen()).toContain('a name');
    await press('org/nmae', '\u001b[D', '\u001b[D', '\u001b[D', '\u007f', '\u001b[C', 'm', '\u0001', 'x', '\u001b[3~', '\u0005', '!');
    await press('\u001b[200~pas\r\nted\u001b[201~', '\r');
    expect(entered).toEqual(['xrg/mmae!pasted']);
    await press('\u0017', '\r', '\u0015', '日本', '\u007f', '\r');
    expect(entered.slice(1)).toEqual(['xrg/', '日']);
  });

  test('shows the part around the cursor of a long text', async () => {
    const { press, seen } = show(<TestField onEnter={() => {}} />);
    await press('x'.repeat(50), 'END');
    expect(seen()).toMatch(/^name …x+END▏$/m);
    expect(
      Math.max(
        ...seen()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(30);
  });
});

function TestPage(): ReactElement {
  const [isOpen, setOpen] = useState(false);
  const [deleted, setDeleted] = useState<string>();
  return (
    <>
      <TestList
        rows={['one', 'two']}
        onKey={(key) => {
          if (key === 'd') setOpen(true);
          return key === 'd';
        }}
      />
      <Line parts={[deleted ?? 'nothing was deleted']} />
      {isOpen && (
        <Dialog
          title="Delete?"
          lines={[['it cannot be undone']]}
          keys={['y delete']}
          onKey={(key) => {
            if (key === 'y') setDeleted('deleted');
            if (key === 'y' || key === 'escape') setOpen(false);
          }}
        />
      )}
    </>
  );
}

describe('a dialog on the screen', () => {
  test('covers the screen below, which gets no keys', async () => {
    const { press, seen } = show(<TestPage />);
    await press('d');
    expect(seen()).toMatch(/╭─ Delete\? ─+╮/);
    expect(seen()).toMatch(/│ {2}it cannot be undone +│/);
    await press('j', '\u001b[200~y\u001b[201~', '\u001b');
    expect(seen()).not.toContain('Delete?');
    expect(seen()).toMatch(/^› one/m);
    expect(seen()).toContain('nothing was deleted');
  });

  test('receives a key that was typed before it appeared', async () => {
    const { press, seen } = show(<TestPage />);
    await press('dy');
    expect(seen()).toMatch(/^deleted/m);
    expect(seen()).not.toContain('Delete?');
  });

  test('is closed by Escape even if another key follows at once', async () => {
    const { press, seen } = show(<TestPage />);
    await press('d', '\u001bj');
    expect(seen()).not.toContain('Delete?');
    expect(seen()).toMatch(/^› two/m);
  });
});

test('a screen never contains control characters of its data', () => {
  const evil = 'a\u001b[2J\u009b1m\u202eb\nc';
  const safe = 'a\\x1b[2J\\x9b1m\\u202eb\\x0ac';
  for (const tone of ['plain', 'good', 'bad', 'warn', 'accent', 'quiet', 'strong', 'title'] as const) {
    const { seen } = show(<Line parts={[{ text: evil, tone }]} isChosen />);
    expect([tone, seen().trimEnd()]).toEqual([tone, safe]);
  }
});
