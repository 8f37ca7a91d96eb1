import { isCharacter, type Key } from './read-keys.ts';

/** An edited text and the cursor's position; `at` counts characters. */
export interface TypedText {
  readonly characters: readonly string[];
  readonly at: number;
}

/** The text with the cursor at its end. */
export function typed(text: string): TypedText {
  const characters = [...text];
  return { characters, at: characters.length };
}

const edits: Readonly<Record<Key, (text: TypedText) => TypedText>> = {
  left: ({ characters, at }) => ({ characters, at: Math.max(0, at - 1) }),
  right: ({ characters, at }) => ({ characters, at: Math.min(characters.length, at + 1) }),
  home: ({ characters }) => ({ characters, at: 0 }),
  'ctrl-a': ({ characters }) => ({ characters, at: 0 }),
  end: ({ characters }) => ({ characters, at: characters.length }),
  'ctrl-e': ({ characters }) => ({ characters, at: characters.length }),
  backspace: ({ characters, at }) => (at === 0 ? { characters, at } : { characters: characters.toSpliced(at - 1, 1), at: at - 1 }),
  delete: ({ characters, at }) => ({ characters: characters.toSpliced(at, 1), at }),
  'ctrl-d': ({ characters, at }) => ({ characters: characters.toSpliced(at, 1), at }),
  'ctrl-u': ({ characters, at }) => ({ characters: characters.slice(at), at: 0 }),
  'ctrl-k': ({ characters, at }) => ({ characters: characters.slice(0, at), at }),
  'alt-b': ({ characters, at }) => ({ characters, at: wordBefore(characters, at) }),
  'alt-f': ({ characters, at }) => ({ characters, at: characters.length - wordBefore(characters.toReversed(), characters.length - at) }),
  'ctrl-w': (text) => deleteWord(text),
  'alt-backspace': (text) => deleteWord(text),
};

function deleteWord({ characters, at }: TypedText): TypedText {
  const from = wordBefore(characters, at);
  return { characters: characters.toSpliced(from, at - from), at: from };
}

/** The beginning of the word before the cursor; the parts of a path are words. */
function wordBefore(characters: readonly string[], at: number): number {
  const isBreak = (index: number): boolean => /[\s/]/.test(characters[index] ?? '');
  let from = at;
  while (from > 0 && isBreak(from - 1)) from -= 1;
  while (from > 0 && !isBreak(from - 1)) from -= 1;
  return from;
}

/** The text after a key, with the editing keys of a shell; undefined for any other key. Pure. */
export function editText(text: TypedText, key: Key): TypedText | undefined {
  const edit = Object.hasOwn(edits, key) ? edits[key] : undefined;
  if (edit !== undefined) return edit(text);
  return isCharacter(key) ? insertText(text, key) : undefined;
}

/** Inserts a text at the cursor; drops line ends and invisible characters. Pure. */
export function insertText({ characters, at }: TypedText, text: string): TypedText {
  const added = [...text.replaceAll(/\p{Cc}/gu, '')];
  return { characters: characters.toSpliced(at, 0, ...added), at: at + added.length };
}
