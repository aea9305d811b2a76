import { describe, expect, it } from '@jest/globals';
import { RateLimit } from './rate-limits.ts';

describe('RateLimit', () => {
  it('lets a burst pass, then as much as was refilled, and says exactly how long to wait', () => {
    let now = 1_000;
    const limit = new RateLimit({ burst: 10, perSecond: 2 }, () => now);
    for (let i = 0; i < 10; i++) {
      expect(limit.waitMs('a', 1)).toBe(0);
      limit.take('a', 1);
    }
    expect(limit.waitMs('a', 1)).toBe(500);
    expect(limit.waitMs('b', 1)).toBe(0);
    now += 499;
    expect(limit.waitMs('a', 1)).toBe(1);
    now += 1;
    expect(limit.waitMs('a', 1)).toBe(0);
  });

  it('never holds more than the burst, and gives nothing back when the clock goes backwards', () => {
    let now = 1_000_000;
    const limit = new RateLimit({ burst: 5, perSecond: 1 }, () => now);
    limit.take('a', 5);
    now -= 600_000;
    expect(limit.waitMs('a', 1)).toBe(1_000);
    now += 3_600_000;
    limit.take('a', 5);
    expect(limit.waitMs('a', 1)).toBe(1_000);
  });

  it('lets one thing larger than the burst pass when it is full, rather than never', () => {
    const limit = new RateLimit({ burst: 5, perSecond: 1 }, () => 0);
    expect(limit.waitMs('a', 50)).toBe(0);
    limit.take('a', 50);
    expect(limit.waitMs('a', 1)).toBe(46_000);
  });
});
