import { type ReactElement, useEffect, useState } from 'react';
import { Dialog, useTopDialog } from '../parts/dialog.tsx';

const stored = 'skulk-keys';

/** Whether single characters are keys of the page in this browser: programs for dictation type them by accident. */
const readIsOn = (): boolean => localStorage.getItem(stored) !== 'off';

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

/** The keys of the page: `/` goes to the filter, `?` lists the keys. None counts in a field or under a dialog. */
export function Keys(): ReactElement | null {
  const [isOn, setOn] = useState(readIsOn);
  const [isShown, setShown] = useState(false);
  const isCovered = useTopDialog() !== undefined;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { key, ctrlKey, metaKey, altKey, target } = event;
      if (event.defaultPrevented || event.isComposing || altKey || isCovered) return;
      const isPlain = !ctrlKey && !metaKey;
      if (isPlain ? isOn && key === '?' && !isField(target) : key === '/') setShown(true);
      else if (isPlain && isOn && key === '/' && !isField(target)) {
        const field = document.querySelector<HTMLInputElement>('main input[type="search"]');
        if (field === null) return;
        field.focus();
        field.select();
      } else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [isOn, isCovered]);
  if (!isShown) return null;
  const change = (on: boolean): void => {
    localStorage.setItem(stored, on ? 'on' : 'off');
    setOn(on);
  };
  return <KeysDialog isOn={isOn} onChange={change} onClose={() => setShown(false)} />;
}

const keys: readonly (readonly [key: string, does: string])[] = [
  ['/', 'Go to the filter of the page'],
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
              <kbd>{key}</kbd>
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
