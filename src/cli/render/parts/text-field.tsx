import { type ReactElement, useState } from 'react';
import { editText, insertText, type TypedText, typed } from './edit-text.ts';
import { useKeys } from './keys.tsx';
import { spread } from './spread.ts';
import { cut, widthOf } from './text-width.ts';
import { Line, type Part } from './words.tsx';

/** An input field of one line. */
export interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly width: number;
  readonly onChange: (value: string) => void;
  readonly onEnter: () => void;
  /** If absent, other handlers get the key. */
  readonly onEscape?: () => void;
  readonly isActive?: boolean;
  /** Shown while the text is empty. */
  readonly placeholder?: string;
  /** Shown on the right. */
  readonly note?: string;
}

/** An input field of one line, with the editing keys of a shell. */
export function TextField({ isActive = true, ...field }: TextFieldProps): ReactElement {
  if (isActive) return <ActiveField {...field} />;
  const { label, value, width, note = '' } = field;
  return <Line parts={spread([{ text: label, tone: 'quiet' }, value], [{ text: note, tone: 'quiet' }], width)} />;
}

function ActiveField({
  label,
  value,
  width,
  onChange,
  onEnter,
  onEscape,
  placeholder = '',
  note = '',
}: Omit<TextFieldProps, 'isActive'>): ReactElement {
  const [place, setPlace] = useState<TypedText>(() => typed(value));
  const text = place.characters.join('') === value ? place : typed(value);
  const change = (now: TypedText | undefined): boolean => {
    if (now === undefined) return false;
    setPlace(now);
    onChange(now.characters.join(''));
    return true;
  };
  useKeys(
    'field',
    (key) => {
      if (key === 'enter') onEnter();
      else if (key === 'escape' && onEscape !== undefined) onEscape();
      // An unknown key with Alt is not an Escape.
      else return change(editText(text, key)) || key.startsWith('alt-');
      return true;
    },
    (pasted) => change(insertText(text, pasted)),
  );
  const room = Math.max(8, width - widthOf(label) - widthOf(note) - 2);
  const hint: readonly Part[] = value === '' ? [{ text: placeholder, tone: 'quiet' }] : [];
  return <Line parts={spread([{ text: label, tone: 'accent' }, ...seenOf(text, room), ...hint], [{ text: note, tone: 'quiet' }], width)} />;
}

/** The visible part of the text, always with the cursor. It is drawn, because the terminal's own cursor is hidden. */
function seenOf({ characters, at }: TypedText, room: number): readonly Part[] {
  let from = 0;
  while (from < at && widthOf(characters.slice(from, at).join('')) > room - 3) from += 1;
  const before = `${from > 0 ? '…' : ''}${characters.slice(from, at).join('')}`;
  return [before, { text: '▏', tone: 'accent' }, cut(characters.slice(at).join(''), room - widthOf(before) - 1)];
}
