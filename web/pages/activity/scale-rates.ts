const mib = 1024 ** 2;

/** What a chart shows: its highest value, and for each bar its share of it; null where nothing was measured. */
export interface ScaledRates {
  /** Bytes per second at the top of the chart: a power of two, 1 MiB/s at least. */
  readonly top: number;
  readonly series: readonly (readonly (number | null)[])[];
}

/**
 * The last rates of several series on one scale, so that they can be compared. Pure.
 * @param count as many bars; what is missing at the beginning was not measured
 */
export function scaleRates(all: readonly (readonly (number | null)[])[], count: number): ScaledRates {
  const last = all.map((rates) => [...Array<null>(Math.max(0, count - rates.length)).fill(null), ...rates.slice(-count)]);
  const highest = Math.max(mib, ...last.flat().map((rate) => rate ?? 0));
  const top = 2 ** Math.ceil(Math.log2(highest));
  return { top, series: last.map((rates) => rates.map((rate) => (rate === null ? null : rate / top))) };
}
