import { type ReactElement, useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { formatBytes } from '../../parts/format.ts';
import type { RateRange } from './rate-range.tsx';
import type { RateSeries } from './scale-rates.ts';

/** The bars of both charts as numbers, the newest first, below a button that opens it. */
export function RateTable({
  range,
  hub,
  nodes,
}: {
  readonly range: RateRange;
  readonly hub: RateSeries;
  readonly nodes: RateSeries;
}): ReactElement {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button tone="quiet" isExpanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Show as table
      </Button>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it.
        <section className="rate-table" aria-label="Rates as a table" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">From Hugging Face</th>
                <th scope="col">To nodes</th>
              </tr>
            </thead>
            <tbody>
              {hub
                .map((fromHub, index) => ({ fromHub, toNodes: nodes[index] ?? null, bars: hub.length - 1 - index }))
                .toReversed()
                .map(({ fromHub, toNodes, bars }) => (
                  <tr key={bars}>
                    <th scope="row">{describeBar(bars, range)}</th>
                    <td>{describeRate(fromHub)}</td>
                    <td>{describeRate(toNodes)}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

/** When the time of a bar began: `5 s ago`, `2 min 10 s ago`. Pure. @param bars how many newer bars there are */
function describeBar(bars: number, { seconds }: RateRange): string {
  const since = (bars + 1) * seconds;
  const [minutes, rest] = [Math.floor(since / 60), since % 60];
  return `${[...(minutes > 0 ? [`${minutes} min`] : []), ...(rest > 0 ? [`${rest} s`] : [])].join(' ')} ago`;
}

const describeRate = (rate: number | null): string => (rate === null ? 'not measured' : `${formatBytes(Math.round(rate))}/s`);
