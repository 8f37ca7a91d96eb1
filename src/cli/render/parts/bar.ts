import type { Part, Tone } from './words.tsx';

/** A part of a bar. */
export interface BarPart {
  readonly share: number;
  readonly tone: Tone;
  /** What it is drawn with, so that it can be told from the others without colours. */
  readonly character: string;
}

/** How something is filled, in parts of a line that take exactly so many columns. What is more than nothing can be seen. Pure. */
export function bar(parts: readonly BarPart[], width: number): readonly Part[] {
  let left = width;
  const drawn = parts.map(({ share, tone, character }): Part => {
    const wanted = share > 0 ? Math.max(1, Math.round(share * width)) : 0;
    const columns = Math.min(left, wanted);
    left -= columns;
    return { text: character.repeat(columns), tone };
  });
  return [...drawn, { text: '─'.repeat(left), tone: 'quiet' }];
}

/** How far something is, from 0 to 1. */
export function progressBar(done: number, width: number): readonly Part[] {
  const room = Math.max(0, width);
  const full = Math.floor(Math.min(1, Math.max(0, done)) * room);
  return [
    { text: '━'.repeat(full), tone: 'accent' },
    { text: '─'.repeat(room - full), tone: 'quiet' },
  ];
}
