/** What several rounds say together: their median, and between which values the true one lies. */

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** From 0 to 1: that the true median is between `low` and `high`, whatever the distribution. */
  readonly confidence: number;
  readonly rounds: number;
}

/** An interval surer than this is made narrower. */
const SURE = 0.95;

/** Undefined for no values. The interval is one of order statistics: as narrow as 95 % allow, else from the least to the most. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const rounds = values.length;
  if (rounds === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  let skipped = 0;
  while (skipped + 1 < rounds / 2 && confidenceOf(rounds, skipped + 1) >= SURE) skipped += 1;
  const middle = (rounds - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    low: sorted[skipped]!,
    high: sorted[rounds - 1 - skipped]!,
    confidence: confidenceOf(rounds, skipped),
    rounds,
  };
}

/** That neither more than `skipped` values nor all but so many are below the true median: tails of a fair coin. */
function confidenceOf(rounds: number, skipped: number): number {
  let tail = 0;
  let ways = 1;
  for (let below = 0; below <= skipped; below++) {
    tail += ways;
    ways = (ways * (rounds - below)) / (below + 1);
  }
  return Math.max(0, 1 - (2 * tail) / 2 ** rounds);
}
