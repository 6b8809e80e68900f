/** A series of points in time. */
export type Series = readonly { readonly at: number; readonly value: number }[];

/** How a series goes on over its second half, when all has warmed up. */
export interface Trend {
  readonly mean: number;
  /** What a straight line through it rises by from the middle to the end. */
  readonly rise: number;
  /** The highest value of the first half, and of the second. */
  readonly peaks: readonly [number, number];
  /**
   * Whether it rises by less than a twentieth, or goes no higher than before: V8 takes pages and gives
   * them back in teeth of minutes, and a straight line through half a tooth rises.
   */
  readonly flat: boolean;
}

/** The trend of the second half of `series`, by least squares. */
export function trend(series: Series): Trend {
  const halfway = Math.floor(series.length / 2);
  const half = series.slice(halfway);
  const mean = average(half.map(({ value }) => value));
  const middle = average(half.map(({ at }) => at));
  const spread = average(half.map(({ at }) => (at - middle) ** 2));
  const slope = average(half.map(({ at, value }) => (at - middle) * (value - mean))) / spread;
  const rise = half.length < 2 ? 0 : slope * (half.at(-1)!.at - half[0]!.at);
  const peaks = [peak(series.slice(0, halfway)), peak(half)] as const;
  return { mean, rise, peaks, flat: rise < mean / 20 || peaks[1] < peaks[0] * 1.05 };
}

function peak(series: Series): number {
  return Math.max(...series.map(({ value }) => value));
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
