import type { Key as InkKey } from 'ink';

/** A key: the character that it types, or one of these words. Fast typing may send several at once. */
export type Key = string;

const named: readonly (readonly [field: keyof InkKey, key: Key])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'page-up'],
  ['pageDown', 'page-down'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
];

/** The keys in one piece of ink's input. Pure. */
export function readKeys(input: string, key: InkKey): readonly Key[] {
  if (key.tab) return [key.shift ? 'shift-tab' : 'tab'];
  const word = named.find(([field]) => key[field] === true)?.[1];
  if (word !== undefined) return [word];
  if (key.ctrl) return input === '' ? [] : [`ctrl-${input}`];
  // A letter with Alt, or Escape directly followed by a letter: terminals send the same for both.
  const [first = '', ...rest] = [...input].map(readCharacter);
  if (first === '') return [];
  return [key.meta ? `alt-${first}` : first, ...rest];
}

function readCharacter(character: string): Key {
  if (character === '\r' || character === '\n') return 'enter';
  if (character === '\t') return 'tab';
  if (character === '\u007f' || character === '\b') return 'backspace';
  const code = character.charCodeAt(0);
  return code < 32 ? `ctrl-${String.fromCharCode(code + 96)}` : character;
}

/** Whether a key types a character. */
export const isCharacter = (key: Key): boolean => [...key].length === 1;
