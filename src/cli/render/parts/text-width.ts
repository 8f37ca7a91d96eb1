import stringWidth from 'string-width';
import { safeCell } from '../../safe-text.ts';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** The width of a text on a terminal, in columns. */
export const widthOf = (text: string): number => (isPlain(text) ? text.length : stringWidth(safeCell(text)));

/** Most texts are plain ASCII, whose width is their length. */
const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** Cuts a text to a width; the cut is marked by `…`. `middle` also keeps the end, e.g. of a model's name. */
export function cut(text: string, width: number, where: 'end' | 'middle' = 'end'): string {
  const safe = safeCell(text);
  if (widthOf(safe) <= width) return safe;
  if (width <= 0) return '';
  const parts = [...graphemes.segment(safe)].map(({ segment }) => segment);
  if (where === 'end' || width < 12) return `${take(parts, width - 1)}…`;
  const tail = Math.floor((width - 1) / 2);
  return `${take(parts, width - 1 - tail)}…${take(parts.toReversed(), tail, (before, part) => part + before)}`;
}

/** Cuts or pads a text to an exact width. */
export function fill(text: string, width: number, align: 'left' | 'right' = 'left', where: 'end' | 'middle' = 'end'): string {
  const shown = cut(text, width, where);
  const room = ' '.repeat(Math.max(0, width - widthOf(shown)));
  return align === 'right' ? room + shown : shown + room;
}

/** Wraps a text to lines of this width; a longer word is broken. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of safeCell(text)
    .split(' ')
    .flatMap((one) => pieces(one, width))) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function pieces(word: string, width: number): readonly string[] {
  if (widthOf(word) <= width) return [word];
  const found: string[] = [''];
  for (const { segment } of graphemes.segment(word)) {
    const last = found.at(-1) ?? '';
    if (widthOf(last + segment) > width && last !== '') found.push(segment);
    else found[found.length - 1] = last + segment;
  }
  return found;
}

function take(parts: readonly string[], width: number, join = (before: string, part: string): string => before + part): string {
  let text = '';
  for (const part of parts) {
    const longer = join(text, part);
    if (widthOf(longer) > width) break;
    text = longer;
  }
  return text;
}
