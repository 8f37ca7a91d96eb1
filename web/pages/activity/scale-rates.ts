const mib = 1024 ** 2;

/** Rates in bytes per second, oldest first; null where nothing was measured. */
export type RateSeries = readonly (number | null)[];

/** What a chart shows: its highest value, and for each bar its share of it; null where nothing was measured. */
export interface ScaledRates {
  /** Bytes per second at the top of the chart: a power of two, 1 MiB/s at least. */
  readonly top: number;
  readonly series: readonly RateSeries[];
}

/**
 * The last rates as bars, each the mean of several; null for a bar without a measurement. Pure.
 * @param count as many bars; what is missing at the beginning was not measured
 * @param each how many rates one bar is the mean of
 */
export function barsOfRates(rates: RateSeries, { count, each }: { readonly count: number; readonly each: number }): RateSeries {
  return Array.from({ length: count }, (_, index) => {
    const end = rates.length - (count - 1 - index) * each;
    const measured = rates.slice(Math.max(0, end - each), Math.max(0, end)).filter((rate) => rate !== null);
    return measured.length === 0 ? null : measured.reduce((sum, rate) => sum + rate, 0) / measured.length;
  });
}

/** The bars of several charts on one scale, so that they can be compared. Pure. */
export function scaleRates(all: readonly RateSeries[]): ScaledRates {
  const highest = Math.max(mib, ...all.flat().map((rate) => rate ?? 0));
  const top = 2 ** Math.ceil(Math.log2(highest));
  return { top, series: all.map((rates) => rates.map((rate) => (rate === null ? null : rate / top))) };
}

/** The places of bars side by side that were not measured, as first bar and number of bars. Pure. */
export function gapsOf(bars: RateSeries): readonly { readonly start: number; readonly length: number }[] {
  return bars.flatMap((bar, start) => {
    if (bar !== null || bars[start - 1] === null) return [];
    const after = bars.findIndex((one, index) => index > start && one !== null);
    return [{ start, length: (after === -1 ? bars.length : after) - start }];
  });
}
