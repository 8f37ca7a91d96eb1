import type { ReactElement } from 'react';
import type { ActivityView } from '../../../src/core/protocol/events.ts';
import { formatBytes } from '../../parts/format.ts';
import { scaleRates } from './scale-rates.ts';

/** So many rates are shown: the last five minutes. */
const barCount = 60;

const height = 44;
const step = 6;

/** How fast bytes came from Hugging Face and went to machines in the last minutes, as two bar charts on one scale. */
export function Rates({ view }: { readonly view: ActivityView | undefined }): ReactElement {
  const hub = view?.from_hub ?? [];
  const nodes = view?.to_nodes ?? [];
  const {
    top,
    series: [ofHub = [], ofNodes = []],
  } = scaleRates([hub, nodes], barCount);
  const minutes = Math.round((barCount * (view?.step_seconds ?? 5)) / 60);
  return (
    <section className="card rates" aria-label="Rates">
      <Chart name="from Hugging Face" rates={hub} bars={ofHub} top={top} />
      <Chart name="to nodes" rates={nodes} bars={ofNodes} top={top} />
      <p className="muted rates-time">
        <span>{minutes} min ago</span>
        <span>now</span>
      </p>
    </section>
  );
}

function Chart({
  name,
  rates,
  bars,
  top,
}: {
  readonly name: string;
  readonly rates: readonly (number | null)[];
  readonly bars: readonly (number | null)[];
  readonly top: number;
}): ReactElement {
  const now = rates.at(-1) ?? null;
  const highest = Math.max(0, ...rates.slice(-barCount).map((rate) => rate ?? 0));
  const label = `${name}: ${now === null ? 'not measured' : `${formatBytes(Math.round(now))}/s`} now, ${formatBytes(Math.round(highest))}/s at most`;
  return (
    <div className="rate">
      <p>
        <strong className="key-number">{now === null ? '–' : `${formatBytes(Math.round(now))}/s`}</strong>
        <span className="muted">{name}</span>
      </p>
      <svg role="img" aria-label={label} viewBox={`0 0 ${barCount * step} ${height}`} preserveAspectRatio="none">
        <line x1="0" x2={barCount * step} y1={height / 2} y2={height / 2} className="half" />
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
