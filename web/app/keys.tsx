import { type ReactElement, useEffect, useRef, useState } from 'react';
import { useApp } from '../parts/app-context.ts';
import { copyText } from '../parts/copy-text.ts';
import { Dialog, useTopDialog } from '../parts/dialog.tsx';
import { navigate } from '../parts/route.ts';
import { moveInRows, rowWithFocus } from './row-keys.ts';

const stored = 'skulk-keys';

/** Whether single characters are keys of the page in this browser: programs for dictation type them by accident. */
const readIsOn = (): boolean => localStorage.getItem(stored) !== 'off';

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

/** The pages behind `g`. */
const pageOf: Readonly<Record<string, string>> = { s: '/', n: '/nodes', a: '/activity', t: '/settings' };

/** How long the key after `g` may take, in milliseconds. */
const goMs = 1_500;

/** Does what a single character means here. Returns whether it means something. */
function press(key: string, say: (text: string) => void): boolean {
  const row = rowWithFocus();
  const reference = row?.dataset['reference'];
  if (key === '/') {
    const field = document.querySelector<HTMLInputElement>('main input[type="search"]');
    field?.focus();
    field?.select();
    return field !== null;
  }
  if (key === 'a') {
    navigate('/add');
    return true;
  }
  if (key === 'j' || key === 'k') return moveInRows(key === 'j' ? 1 : -1);
  if (key === 'c' && reference !== undefined) {
    void copyText(reference).then(() => say(`Copied ${reference}.`));
    return true;
  }
  // The key is written at the button that it presses: of this row, or of the row above it that is open.
  const places = key === 'o' ? [row, mainRowOf(row)] : [row];
  const button = places.map((place) => place?.querySelector<HTMLElement>(`[aria-keyshortcuts="${CSS.escape(key)}"]`)).find(Boolean);
  // The row of a quantization goes, and the focus with it.
  if (key === 'o' && button != null) mainRowOf(row)?.querySelector<HTMLElement>('.row-link')?.focus();
  button?.click();
  return button != null;
}

/** The row of the model to which the row of a quantization belongs. */
function mainRowOf(row: HTMLElement | undefined): HTMLElement | undefined {
  let above: Element | null | undefined = row;
  while (above?.classList.contains('sub') === true) above = above.previousElementSibling;
  return above instanceof HTMLElement ? above : undefined;
}

/** The keys of the page: `?` lists them. None counts in a field or under a dialog. */
export function Keys(): ReactElement | null {
  const { tell } = useApp();
  const [isOn, setOn] = useState(readIsOn);
  const [isShown, setShown] = useState(false);
  const isCovered = useTopDialog() !== undefined;
  const goesUntil = useRef(0);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { key, ctrlKey, metaKey, altKey, target } = event;
      if (event.defaultPrevented || event.isComposing || altKey || isCovered) return;
      const isPlain = !ctrlKey && !metaKey;
      const isGoing = event.timeStamp < goesUntil.current;
      goesUntil.current = 0;
      const arrow = { ArrowDown: 1, ArrowUp: -1 }[key];
      if (!isPlain) {
        if (key !== '/') return;
        setShown(true);
      } else if (isField(target)) return;
      else if (arrow !== undefined) {
        if (rowWithFocus() === undefined || !moveInRows(arrow)) return;
      } else if (!isOn) return;
      else if (key === '?') setShown(true);
      else if (isGoing && pageOf[key] !== undefined) navigate(pageOf[key]);
      else if (key === 'g') goesUntil.current = event.timeStamp + goMs;
      else if (!'/jkcosa'.includes(key) || !press(key, tell)) return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [isOn, isCovered, tell]);
  if (!isShown) return null;
  const change = (on: boolean): void => {
    localStorage.setItem(stored, on ? 'on' : 'off');
    setOn(on);
  };
  return <KeysDialog isOn={isOn} onChange={change} onClose={() => setShown(false)} />;
}

const keys: readonly (readonly [key: string, does: string])[] = [
  ['/', 'Go to the filter of the page'],
  ['a', 'Add a model'],
  ['g s, g n, g a, g t', 'Go to the store, the nodes, the activity, the settings'],
  ['j, k, ↓, ↑', 'Next and previous row'],
  ['Enter', 'Open the row'],
  ['o', 'Open or close the quantizations of the row'],
  ['s', 'Stage the row'],
  ['c', 'Copy the name of the row'],
  ['?', 'Show these keys'],
  ['Ctrl+/', 'Show these keys, also while single characters are off'],
  ['Esc', 'Close a dialog'],
];

function KeysDialog({
  isOn,
  onChange,
  onClose,
}: {
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly onClose: () => void;
}): ReactElement {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="key-list">
        {keys.map(([key, does]) => (
          <div key={key}>
            <dt>
              {key.split(', ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.target.checked)} />
        <span>Use single characters as keys in this browser</span>
      </label>
    </Dialog>
  );
}
