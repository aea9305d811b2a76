/** What the conductor makes of times: no quantile lies beyond the longest of them. */
import { expect, it } from '@jest/globals';
import { Collector } from './collector.ts';

it('no quantile is more than the maximum, whatever the histogram rounds', () => {
  const collector = new Collector();
  collector.time('register', 813.1);
  const { p50, p999, max, curve } = collector.figures().register!;
  expect([p50, p999, max]).toEqual([813.1, 813.1, 813.1]);
  expect(curve.at(-1)).toEqual([100, 813.1]);
});
