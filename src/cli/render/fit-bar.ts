import { cut, widthOf } from './parts/text-width.ts';

/** The parts of a bar's line. `rate` and `left` are empty while they are unknown. */
export interface BarParts {
  readonly label: string;
  /** From 0 to 1. */
  readonly done: number;
  readonly amount: string;
  readonly rate: string;
  readonly left: string;
}

/** The width of the bar in cells, and whether the amount is shown, in the order for narrower terminals. */
const forms = [
  { cells: 24, hasAmount: true },
  { cells: 10, hasAmount: true },
  { cells: 10, hasAmount: false },
  { cells: 0, hasAmount: false },
] as const;
/** A label is cut to this length before other parts are dropped. */
const readableLabel = 28;
const shortestLabel = 8;

/**
 * The line of a progress bar within the width of a terminal. Percentage, rate and time left are always shown. A narrow terminal gets a
 * shorter bar, then a shorter label, then no amount, then no bar. Pure.
 * @param columns undefined if the terminal does not report its width
 */
export function fitBar({ label, done, amount, rate, left }: BarParts, columns: number | undefined): string {
  // The last column stays free: some terminals start a new line after writing to it.
  const room = columns ? columns - 1 : Number.POSITIVE_INFINITY;
  const wanted = Math.min(widthOf(label), readableLabel);
  const lines = forms.map(({ cells, hasAmount }) => {
    const filled = Math.round(done * cells);
    const bar = cells === 0 ? '' : `[${'='.repeat(filled)}${'-'.repeat(cells - filled)}] `;
    const details = [...(hasAmount ? [amount] : []), rate, left].filter((text) => text !== '');
    return ` ${bar}${Math.floor(done * 100)}%${details.length === 0 ? '' : ` ${details.join(', ')}`}`;
  });
  const rest = lines.find((line) => room - widthOf(line) >= wanted) ?? lines.at(-1) ?? '';
  return `${cut(label, Math.max(shortestLabel, room - widthOf(rest)), 'middle')}${rest}`;
}
