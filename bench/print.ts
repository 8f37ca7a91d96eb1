import type { Measured, Spread } from './row.ts';

const spread = ({ median, min, max }: Spread, digits: number): string =>
  Number.isNaN(median)
    ? '-'
    : min === max
      ? median.toFixed(digits)
      : `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;

const digitsOf = { s: 2, ms: 0, MiB: 0, bytes: 0, ratio: 2 } as const;

/** The results as a Markdown table. */
export function printTable(rows: readonly Measured[]): string {
  const lines = rows.map(({ name, unit, value, peer, ratio, goal, isMet, cpuPerGib, note }) => [
    name,
    `${spread(value, digitsOf[unit])}${unit === 'ratio' ? '' : ` ${unit}`}`,
    peer === undefined ? '' : `${spread(peer.value, digitsOf[unit])} ${unit}`,
    ratio === undefined || peer === undefined ? '' : spread(ratio, 2),
    goal,
    isMet === null ? '-' : isMet ? 'yes' : 'NO',
    [
      ...(note === undefined ? [] : [note]),
      ...Object.entries(cpuPerGib ?? {}).map(([side, seconds]) => `${side} ${seconds.toFixed(2)}`),
    ].join('; '),
  ]);
  const head = ['what', 'ours', 'peer', 'ratio', 'goal', 'met', 'CPU seconds per GiB, notes'];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
