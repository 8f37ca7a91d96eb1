import { usualMaxLength } from './schema.ts';

/** A text from another program that is safe on one line of a terminal. Pure. */
export function clean(text: string, maxLength: number = usualMaxLength): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return short.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '\uFFFD');
}
