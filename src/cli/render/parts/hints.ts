import { widthOf } from './text-width.ts';
import type { Part } from './words.tsx';

/** A key and its meaning. */
export type Hint = readonly [key: string, does: string];

/** As many hints as fit into a line. Pure. */
export function hintParts(hints: readonly Hint[], width: number): readonly Part[] {
  const parts: Part[] = [];
  let room = width;
  for (const [key, does] of hints) {
    const needed = widthOf(key) + 1 + widthOf(does) + (parts.length === 0 ? 0 : 2);
    if (needed > room) continue;
    room -= needed;
    parts.push({ text: `${parts.length === 0 ? '' : '  '}${key}`, tone: 'title' }, { text: ` ${does}`, tone: 'quiet' });
  }
  return parts;
}
