import type { ReactElement } from 'react';

/** How much time the charts of rates show. */
export interface RateRange {
  readonly name: string;
  /** How many bars are shown. */
  readonly count: number;
  /** The time that one bar is the mean of. */
  readonly seconds: number;
}

/** What the store page shows. */
export const shortRange: RateRange = { name: '5 min', count: 60, seconds: 5 };

const ranges: readonly RateRange[] = [shortRange, { name: '15 min', count: 90, seconds: 10 }, { name: '1 h', count: 60, seconds: 60 }];

/** Chooses how much time the charts show. */
export function RangeChoice({
  range,
  onChange,
}: {
  readonly range: RateRange;
  readonly onChange: (range: RateRange) => void;
}): ReactElement {
  return (
    <fieldset className="segments">
      <legend className="visually-hidden">Time shown</legend>
      {ranges.map((one) => (
        <button key={one.name} type="button" aria-pressed={one === range} onClick={() => onChange(one)}>
          {one.name}
        </button>
      ))}
    </fieldset>
  );
}
