import { cut, widthOf } from './text-width.ts';
import type { Part } from './words.tsx';

/** The total width of parts of a line, in columns. */
export const widthOfParts = (parts: readonly Part[]): number =>
  parts.reduce((sum, part) => sum + widthOf(typeof part === 'string' ? part : part.text), 0);

/** Parts with an exact total width; the rest is cut. Pure. */
export function fillParts(parts: readonly Part[], width: number): readonly Part[] {
  let room = Math.max(0, width);
  const kept = parts.map((part): Part => {
    const { text, tone } = typeof part === 'string' ? ({ text: part, tone: 'plain' } as const) : part;
    const shown = cut(text, room);
    room -= widthOf(shown);
    return { text: shown, tone };
  });
  return [...kept, ' '.repeat(room)];
}

/** A line with a left and a right part; the left one is cut if needed. Pure. */
export const spread = (left: readonly Part[], right: readonly Part[], width: number): readonly Part[] =>
  right.length === 0 ? fillParts(left, width) : [...fillParts(left, width - widthOfParts(right) - 1), ' ', ...right];
