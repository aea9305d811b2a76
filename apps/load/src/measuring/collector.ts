/** All that workers say, as one: totals, and a row for each second. */
import type { Histogram } from 'hdr-histogram-js';
import { decodeHistogram, encodeHistogram, newHistogram, type Tick } from './tally.ts';

const US_IN_MS = 1_000;
/** Quantiles that are shown, in percent. */
const QUANTILES = { p50: 50, p90: 90, p99: 99, p999: 99.9 } as const;
/** Points of the curve of a distribution, in percent. */
const CURVE = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999, 100];

/** ms. */
export interface TimeSummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface TimeFigures extends TimeSummary {
  /** Percent, ms. */
  readonly curve: readonly (readonly [number, number])[];
  /** HDR V2, µs, compressed, base64: for whoever merges reports. */
  readonly histogram: string;
}

export interface Row {
  /** Seconds from the beginning of the run. */
  readonly at: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly times: Readonly<Record<string, TimeSummary>>;
  readonly levels: Readonly<Record<string, number>>;
}

/** Of one second, of all workers. */
class Second {
  readonly counts = new Map<string, number>();
  readonly times = new Map<string, Histogram>();
  readonly levels = new Map<number, Readonly<Record<string, number>>>();
}

export class Collector {
  readonly #total = new Second();
  readonly #seconds = new Map<number, Second>();
  /** Of each worker, what its levels are. */
  readonly #levels = new Map<number, Readonly<Record<string, number>>>();

  /** `worker`: its number; `at`: seconds from the beginning, an integer. */
  take(worker: number, at: number, { counts, times, levels }: Tick): void {
    this.#levels.set(worker, levels);
    let second = this.#seconds.get(at);
    if (!second) {
      second = new Second();
      this.#seconds.set(at, second);
    }
    for (const [name, count] of Object.entries(counts))
      for (const { counts: sums } of [this.#total, second]) sums.set(name, (sums.get(name) ?? 0) + count);
    for (const [name, text] of Object.entries(times)) {
      const histogram = decodeHistogram(text);
      for (const { times: sums } of [this.#total, second]) {
        const sum = sums.get(name) ?? newHistogram();
        sum.add(histogram);
        sums.set(name, sum);
      }
    }
    for (const [number, of] of this.#levels) second.levels.set(number, of);
  }

  /** A time that the conductor itself measured, ms. */
  time(name: string, ms: number): void {
    const histogram = this.#total.times.get(name) ?? newHistogram();
    histogram.recordValue(Math.max(1, Math.round(ms * US_IN_MS)));
    this.#total.times.set(name, histogram);
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#total.counts);
  }

  /** Of one measure so far; undefined when there is none. */
  summary(name: string): TimeSummary | undefined {
    const histogram = this.#total.times.get(name);
    return histogram && summaryOf(histogram);
  }

  figures(): Record<string, TimeFigures> {
    return Object.fromEntries(
      [...this.#total.times].map(([name, histogram]) => [
        name,
        {
          ...summaryOf(histogram),
          curve: CURVE.map((percent) => [percent, msAt(histogram, percent)] as const),
          histogram: encodeHistogram(histogram),
        },
      ]),
    );
  }

  /** In the order of time. What is older than a row that was read does not change any more. */
  rows(): Row[] {
    return [...this.#seconds].sort(([a], [b]) => a - b).map(([at, second]) => rowOf(at, second));
  }

  lastRow(): Row | undefined {
    const at = Math.max(...this.#seconds.keys());
    const second = this.#seconds.get(at);
    return second && rowOf(at, second);
  }
}

function rowOf(at: number, { counts, times, levels }: Second): Row {
  const sums: Record<string, number> = {};
  for (const of of levels.values())
    for (const [name, level] of Object.entries(of)) sums[name] = (sums[name] ?? 0) + level;
  return {
    at,
    counts: Object.fromEntries(counts),
    times: Object.fromEntries([...times].map(([name, histogram]) => [name, summaryOf(histogram)])),
    levels: sums,
  };
}

function summaryOf(histogram: Histogram): TimeSummary {
  const quantiles = Object.fromEntries(
    Object.entries(QUANTILES).map(([name, percent]) => [name, msAt(histogram, percent)]),
  ) as Record<keyof typeof QUANTILES, number>;
  const { totalCount: count, mean, maxValue } = histogram;
  return { count, mean: mean / US_IN_MS, ...quantiles, max: maxValue / US_IN_MS };
}

/** A histogram answers with the end of a value's bucket, which may lie beyond the greatest that it took. */
function msAt(histogram: Histogram, percent: number): number {
  return Math.min(histogram.getValueAtPercentile(percent), histogram.maxValue) / US_IN_MS;
}
