/** The resident memory of a server, from its own metrics, and how it grows. */

export interface MemorySample {
  /** Seconds from the beginning. */
  readonly at: number;
  readonly bytes: number;
}

const MIB = 1_048_576;
const HOUR_S = 3_600;
/** A server that begins to work takes memory that it keeps: that is no growth. */
const WARM_UP = 0.25;
const LEAST_SAMPLES = 20;
/** s. Of less, what is told is of the moment: an hour would be made of seconds. */
const LEAST_TOLD = 600;

/** Undefined: what answers is no page of metrics, or says nothing of memory. */
export function memoryIn(page: string): number | undefined {
  const [, text] = /^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/m.exec(page) ?? [];
  const bytes = Number(text);
  return text !== undefined && Number.isFinite(bytes) ? bytes : undefined;
}

/** MiB an hour by least squares, the first quarter left out; undefined for samples too few to say. */
export function growthOf(samples: readonly MemorySample[]): number | undefined {
  const late = samples.slice(Math.floor(samples.length * WARM_UP));
  if (late.length < LEAST_SAMPLES) return undefined;
  const mean = (of: (sample: MemorySample) => number) =>
    late.reduce((sum, sample) => sum + of(sample), 0) / late.length;
  const [at, bytes] = [mean((sample) => sample.at), mean((sample) => sample.bytes)];
  const over = late.reduce((sum, sample) => sum + (sample.at - at) * (sample.bytes - bytes), 0);
  const under = late.reduce((sum, sample) => sum + (sample.at - at) ** 2, 0);
  return under === 0 ? undefined : ((over / under) * HOUR_S) / MIB;
}

/** For people, behind what it is about; empty when there is nothing to say yet. */
export function growthText(samples: readonly MemorySample[]): string {
  const growth = growthOf(samples);
  const isLong = (samples.at(-1)?.at ?? 0) - (samples[0]?.at ?? 0) >= LEAST_TOLD;
  return growth === undefined || !isLong ? '' : `, growing by ${growth.toFixed(1)} MiB an hour`;
}
