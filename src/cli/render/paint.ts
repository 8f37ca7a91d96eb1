/** The meaning of a text on a screen with colours. */
export type Color = 'good' | 'bad' | 'warning' | 'faint' | 'strong';

/** Colours a text. */
export type Paint = (text: string, color: Color) => string;

const codes: Readonly<Record<Color, readonly [on: number, off: number]>> = {
  good: [32, 39],
  bad: [31, 39],
  warning: [33, 39],
  faint: [2, 22],
  strong: [1, 22],
};

/** With the codes of ANSI terminals (ECMA-48, SGR). */
export const inColor: Paint = (text, color) => {
  const [on, off] = codes[color];
  return text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;
};

/** For a pipe, and for users who want no colours. */
export const withoutColor: Paint = (text) => text;

/**
 * Whether a stream gets colours: a terminal that supports them, or any stream with FORCE_COLOR. NO_COLOR and --no-color disable them.
 * Source: https://no-color.org, https://force-color.org
 */
export function wantsColor(
  env: Readonly<Record<string, string | undefined>>,
  { isTerminal, noColor }: { readonly isTerminal: boolean; readonly noColor: boolean },
): boolean {
  if (noColor || (env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'] ?? '';
  if (forced !== '') return forced !== '0' && forced !== 'false';
  return isTerminal && env['TERM'] !== 'dumb';
}
