import type { Part, Tone } from './words.tsx';

/** A part of a bar. */
export interface BarPart {
  readonly share: number;
  readonly tone: Tone;
  /** The character of the part, so that it can be distinguished without colours. */
  readonly character: string;
}

/** A filled bar, as parts of a line with an exact width. A non-zero part is always visible. Pure. */
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

/** A progress bar for a fraction from 0 to 1. */
export function progressBar(done: number, width: number): readonly Part[] {
  const room = Math.max(0, width);
  const full = Math.floor(Math.min(1, Math.max(0, done)) * room);
  return [
    { text: '━'.repeat(full), tone: 'accent' },
    { text: '─'.repeat(room - full), tone: 'quiet' },
  ];
}
