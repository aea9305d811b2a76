/** Medians of few rounds, and how sure their intervals are. */
import { describe, expect, it } from '@jest/globals';
import { spreadOf } from './spread.ts';

describe('spreadOf', () => {
  it('of few rounds goes from the least to the most, and says how sure that is', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3, confidence: 0.75, rounds: 3 });
    expect(spreadOf([4, 1])).toMatchObject({ median: 2.5, low: 1, high: 4, confidence: 0.5 });
    expect(spreadOf([5])).toEqual({ median: 5, low: 5, high: 5, confidence: 0, rounds: 1 });
    expect(spreadOf([])).toBeUndefined();
  });

  it('of many rounds leaves out what 95 % do not need', () => {
    // The tables of the sign test: for 9 values the second and the eighth (96.1 %), for 20 the sixth and the fifteenth (95.9 %).
    const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
    expect(spreadOf(upTo(9))).toMatchObject({ median: 5, low: 2, high: 8, confidence: expect.closeTo(0.961, 3) });
    expect(spreadOf(upTo(20))).toMatchObject({ low: 6, high: 15, confidence: expect.closeTo(0.959, 3) });
    expect(spreadOf(upTo(7))).toMatchObject({ low: 1, high: 7, confidence: expect.closeTo(0.984, 3) });
  });
});
