/** `--fail-if`: conditions under which a run has failed, whatever the oracle says. */
import { LoadError } from '../errors.ts';
import { timeIn } from '../quantities.ts';
import type { TimeSummary } from './collector.ts';

const FORM = 'write it like p99>200ms, accept.p99.9>1s, refused>0 or delivered/s<1000';
const STATISTICS = { p50: 'p50', p90: 'p90', p99: 'p99', 'p99.9': 'p999', max: 'max', mean: 'mean' } as const;

/** What can be measured. */
export interface Measured {
  readonly times: Readonly<Record<string, TimeSummary>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Growth of the server's memory, MiB an hour; undefined: it was not looked at. */
  readonly memoryGrowth?: number | undefined;
  /** What a statistic without a measure is of. */
  readonly main: string;
}

export interface Threshold {
  readonly text: string;
  /** ms for times. Undefined: there is nothing of this kind, which misses the threshold, too. */
  valueIn(measured: Measured): number | undefined;
  isMissedBy(value: number | undefined): boolean;
}

/** Throws `LoadError` `usage`. */
export function parseThreshold(text: string): Threshold {
  const [, subject, operator, limitText] = /^\s*([\w./-]+?)\s*([<>])\s*(\S+)\s*$/.exec(text) ?? [];
  if (subject === undefined || limitText === undefined)
    throw new LoadError('usage', `not a threshold: "${text}"; ${FORM}`);
  const statistic = Object.entries(STATISTICS).find(([name]) => subject === name || subject.endsWith(`.${name}`));
  const limit = statistic ? timeIn(limitText) : /^\d+(\.\d+)?$/.test(limitText) ? Number(limitText) : undefined;
  if (limit === undefined)
    throw new LoadError('usage', `not ${statistic ? 'a time' : 'a number'}: "${limitText}" in "${text}"; ${FORM}`);
  return {
    text,
    isMissedBy: (value) => value === undefined || (operator === '>' ? value > limit : value < limit),
    valueIn({ times, counts, seconds, memoryGrowth, main }) {
      if (statistic) {
        const [name, field] = statistic;
        return times[subject === name ? main : subject.slice(0, -name.length - 1)]?.[field];
      }
      if (subject === 'memory-growth') return memoryGrowth;
      if (subject.endsWith('/s')) return (counts[subject.slice(0, -2)] ?? 0) / Math.max(seconds, 0.001);
      return counts[subject] ?? 0;
    },
  };
}
