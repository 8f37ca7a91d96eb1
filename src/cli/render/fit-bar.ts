import { cut, widthOf } from './parts/text-width.ts';

/** What the line of a bar says. `rate` and `left` are empty while they are not known. */
export interface BarParts {
  readonly label: string;
  /** From 0 to 1. */
  readonly done: number;
  readonly amount: string;
  readonly rate: string;
  readonly left: string;
}

/** The bar in cells, and whether the amount is shown: what a narrow terminal gets instead of the former. */
const forms = [
  { cells: 24, hasAmount: true },
  { cells: 10, hasAmount: true },
  { cells: 10, hasAmount: false },
  { cells: 0, hasAmount: false },
] as const;
/** A label is cut to that before more of the line is left out. */
const readableLabel = 28;
const shortestLabel = 8;

/**
 * The line of a progress bar within the width of a terminal. Percentage, rate and time left are always there; a narrow terminal gets a
 * shorter bar, then a shorter label, then no amount, then no bar. Pure.
 * @param columns undefined when the terminal does not say its width
 */
export function fitBar({ label, done, amount, rate, left }: BarParts, columns: number | undefined): string {
  // The last column stays free: some terminals begin a new line when it is written to.
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
