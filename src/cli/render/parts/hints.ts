import { widthOf } from './text-width.ts';
import type { Part } from './words.tsx';

/** A key and its meaning. */
export type Hint = readonly [key: string, does: string];

/** As many hints as fit into a line. The one for the help, which lists every key, is the last to be left out. Pure. */
export function hintParts(hints: readonly Hint[], width: number): readonly Part[] {
  const parts: Part[] = [];
  const help = hints.findIndex(([key]) => key === '?');
  const widths = hints.map(([key, does]) => widthOf(key) + 1 + widthOf(does) + 2);
  // The first hint has no gap before it.
  let room = width + 2;
  for (const [index, [key, does]] of hints.entries()) {
    const needed = widths[index] ?? 0;
    const kept = index < help ? (widths[help] ?? 0) : 0;
    if (needed > room - (kept <= room ? kept : 0)) continue;
    room -= needed;
    parts.push({ text: `${parts.length === 0 ? '' : '  '}${key}`, tone: 'title' }, { text: ` ${does}`, tone: 'quiet' });
  }
  return parts;
}
