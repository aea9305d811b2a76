/** Where an axis has its marks: at round numbers. */

const MOST_STEPS = 5;
/** A wider axis has a mark a decade, a narrower one three. */
const MOST_BY_THIRDS = 2_000;
const ROUND = [1, 2, 5, 10];

/** The last one is `to` or above it; the first one `from` or below. */
export function evenMarks(from: number, to: number): number[] {
  const rough = (to - from) / MOST_STEPS || 1;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * ROUND.find((factor) => factor * decade >= rough * 0.999)!;
  const first = Math.floor(from / step);
  // Multiples, not sums: 0.1 a few times is 0.30000000000000004.
  return Array.from({ length: Math.ceil(to / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(9)),
  );
}

/** Around all of `values` that are positive. */
export function logarithmicMarks(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [1, 10];
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const factors = most / least > MOST_BY_THIRDS ? [1] : [1, 2, 5];
  const all = Array.from({ length: to - from + 1 }, (_, i) =>
    factors.map((factor) => Number((factor * 10 ** (from + i)).toPrecision(9))),
  ).flat();
  const first = Math.max(
    0,
    all.findLastIndex((mark) => mark <= least),
  );
  const last = all.findIndex((mark) => mark >= most);
  return first === last ? all.slice(first, first + 2) : all.slice(first, last + 1);
}
