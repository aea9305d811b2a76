/** Counts and times of one worker, handed over once a second: HDR histograms, so that no time is averaged away. */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

/** An hour in µs; what takes longer is counted as that. */
const LONGEST_US = 3_600_000_000;

/** Of one second, or of several together. Times are µs, histograms HDR V2, compressed, base64. */
export interface Tick {
  readonly counts: Readonly<Record<string, number>>;
  readonly times: Readonly<Record<string, string>>;
  /** As they are now. */
  readonly levels: Readonly<Record<string, number>>;
}

export function newHistogram(): Histogram {
  return build({ bitBucketSize: 32, highestTrackableValue: LONGEST_US, numberOfSignificantValueDigits: 3 });
}

export function decodeHistogram(text: string): Histogram {
  return decodeFromCompressedBase64(text, 32, false);
}

export function encodeHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram);
}

export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #times = new Map<string, Histogram>();
  readonly #levels = new Map<string, () => number>();

  count(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  /** `ms` may be negative by what two readings of a clock differ. */
  time(name: string, ms: number): void {
    let histogram = this.#times.get(name);
    if (!histogram) {
      histogram = newHistogram();
      this.#times.set(name, histogram);
    }
    histogram.recordValue(Math.min(LONGEST_US, Math.max(1, Math.round(ms * 1_000))));
  }

  /** Something that is looked at once a second. Levels of one name are added up. */
  level(name: string, read: () => number): void {
    const before = this.#levels.get(name);
    this.#levels.set(name, before ? () => before() + read() : read);
  }

  forgetLevels(): void {
    this.#levels.clear();
  }

  /** All since the last time. */
  take(): Tick {
    const counts = Object.fromEntries(this.#counts);
    const times: Record<string, string> = {};
    for (const [name, histogram] of this.#times)
      if (histogram.totalCount > 0) {
        times[name] = encodeHistogram(histogram);
        histogram.reset();
      }
    this.#counts.clear();
    return { counts, times, levels: Object.fromEntries([...this.#levels].map(([name, read]) => [name, read()])) };
  }
}
