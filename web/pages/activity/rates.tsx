import { type ReactElement, useId } from 'react';
import type { ActivityView } from '../../../src/core/protocol/events.ts';
import { formatBytes } from '../../parts/format.ts';
import { type RateRange, shortRange } from './rate-range.tsx';
import { RateTable } from './rate-table.tsx';
import { barsOfRates, gapsOf, type RateSeries, scaleRates } from './scale-rates.ts';

const height = 44;
const step = 6;

/** How fast bytes came from Hugging Face and went to machines lately, as two bar charts on one scale. */
export function Rates({
  view,
  range = shortRange,
  hasTable = false,
}: {
  readonly view: ActivityView;
  readonly range?: RateRange;
  /** Whether the bars can also be read as a table. */
  readonly hasTable?: boolean;
}): ReactElement {
  const size = { count: range.count, each: Math.max(1, Math.round(range.seconds / view.step_seconds)) };
  const [hub, nodes] = [barsOfRates(view.from_hub, size), barsOfRates(view.to_nodes, size)];
  const {
    top,
    series: [ofHub = [], ofNodes = []],
  } = scaleRates([hub, nodes]);
  const hasGaps = hub.includes(null) || nodes.includes(null);
  return (
    <section className="card rates" aria-label="Rates">
      <Chart name="from Hugging Face" now={view.from_hub.at(-1) ?? null} rates={hub} bars={ofHub} top={top} />
      <Chart name="to nodes" now={view.to_nodes.at(-1) ?? null} rates={nodes} bars={ofNodes} top={top} />
      <p className="muted rates-time">
        <span>{range.name} ago</span>
        {hasGaps && <span>hatched: not measured</span>}
        <span>now</span>
      </p>
      {hasTable && <RateTable range={range} hub={hub} nodes={nodes} />}
    </section>
  );
}

function Chart({
  name,
  now,
  rates,
  bars,
  top,
}: {
  readonly name: string;
  /** The last measurement. */
  readonly now: number | null;
  readonly rates: RateSeries;
  readonly bars: RateSeries;
  readonly top: number;
}): ReactElement {
  const hatching = useId().replaceAll(/\W/g, '');
  const width = bars.length * step;
  const highest = Math.max(0, ...rates.map((rate) => rate ?? 0));
  const label = `${name}: ${now === null ? 'not measured' : `${formatBytes(Math.round(now))}/s`} now, ${formatBytes(Math.round(highest))}/s at most`;
  return (
    <div className="rate">
      <p>
        <strong className="key-number">{now === null ? '–' : `${formatBytes(Math.round(now))}/s`}</strong>
        <span className="muted">{name}</span>
      </p>
      <svg role="img" aria-label={label} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none">
        <pattern id={hatching} width="6" height="12" patternUnits="userSpaceOnUse">
          <path d="M0 12 6 0" className="gap-line" />
        </pattern>
        <line x1="0" x2={width} y1={height / 2} y2={height / 2} className="half" />
        {gapsOf(bars).map(({ start, length }) => (
          <rect key={start} className="gap" x={start * step} width={length * step} y="0" height={height} fill={`url(#${hatching})`} />
        ))}
        {bars.map((share, index) =>
          share === null ? null : (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place.
              key={index}
              x={index * step}
              width={step - 1.5}
              y={height - share * height}
              height={share * height}
            />
          ),
        )}
      </svg>
      <span className="muted rate-top">{formatBytes(top)}/s</span>
    </div>
  );
}
