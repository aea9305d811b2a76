/** Two reports side by side: times by their quantiles, and what got through a second. */
import type { Report } from './report.ts';

export interface ComparedLine {
  /** As `deliver.p99`, or `delivered/s`. */
  readonly figure: string;
  readonly unit: 'ms' | '/s' | '';
  readonly before: number;
  readonly after: number;
  /** Which way is worse. */
  readonly worse: 'more' | 'less';
  /** Below it a difference is noise. */
  readonly noise: number;
}

/** With how many times it takes until one lies beyond it; with fewer it is the maximum by another name. */
const QUANTILES = { p50: 20, p90: 20, p99: 100, p999: 1_000 } as const;
const QUANTILE_NAMES = Object.keys(QUANTILES) as (keyof typeof QUANTILES)[];
const FLOWS = ['delivered', 'accepted', 'answered', 'files'];
const FAULTS = [
  'lost',
  'doubled',
  'reordered',
  'foreign',
  'notAccepted',
  'damaged',
  'keyTwice',
  'refused',
  'failed',
  'unanswered',
];
const NOISE_MS = 0.5;

/** Figures that both have. */
export function compare(before: Report, after: Report): ComparedLine[] {
  const lines: ComparedLine[] = [];
  for (const [name, first] of Object.entries(before.times)) {
    const second = after.times[name];
    // How late the generator was is no figure of the server.
    if (!second || name === 'late') continue;
    const count = Math.min(first.count, second.count);
    for (const quantile of QUANTILE_NAMES)
      if (count >= QUANTILES[quantile])
        lines.push({
          figure: `${name}.${quantile}`,
          unit: 'ms',
          before: first[quantile],
          after: second[quantile],
          worse: 'more',
          noise: NOISE_MS,
        });
  }
  for (const name of FLOWS)
    if (before.counts[name] && after.counts[name] !== undefined)
      lines.push({
        figure: `${name}/s`,
        unit: '/s',
        before: before.counts[name] / before.seconds,
        after: after.counts[name]! / after.seconds,
        worse: 'less',
        noise: 0,
      });
  for (const name of FAULTS) {
    const [first = 0, second = 0] = [before.counts[name], after.counts[name]];
    if (first > 0 || second > 0)
      lines.push({ figure: name, unit: '', before: first, after: second, worse: 'more', noise: 0 });
  }
  return lines;
}

/** By more than `percent`. */
export function isWorse({ before, after, worse, noise }: ComparedLine, percent: number): boolean {
  const by = worse === 'more' ? after - before : before - after;
  return by > noise && by > (before * percent) / 100;
}
