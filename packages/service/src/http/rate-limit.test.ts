import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '../observe/metrics.ts';
import { Problem } from './problem.ts';
import { createLimiter } from './rate-limit.ts';

const MINUTE = 60_000;

function limiterOf(points: number, windowMs = MINUTE) {
  const clock = { now: 1_800_000_000_000 };
  const metrics = createMetrics();
  return { clock, metrics, limiter: createLimiter('test', { points, windowMs }, { now: () => clock.now, metrics }) };
}

function problemOf(run: () => void): Problem {
  try {
    run();
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('no problem');
}

describe('a limiter', () => {
  it('allows the budget, then says how long to wait, each key for itself, and counts refusals', async () => {
    const { limiter, clock, metrics } = limiterOf(2);
    expect(limiter.refused('a')).toBeUndefined();
    clock.now += 1_500;
    expect(limiter.refused('a')).toBeUndefined();
    expect(limiter.refused('a')).toBe(58_500);
    expect(limiter.refused('b', 2)).toBeUndefined();
    expect(() => limiter.demand('b')).toThrow(Problem);
    expect(await metrics.text()).toContain('sealwire_ratelimit_rejections_total{limiter="test"} 2');
  });

  it('begins a new window by the clock it is given', () => {
    const { limiter, clock } = limiterOf(1);
    expect(limiter.refused('a')).toBeUndefined();
    clock.now += MINUTE - 1;
    expect(limiter.refused('a')).toBe(1);
    clock.now += 1;
    expect(limiter.refused('a')).toBeUndefined();
    expect(limiter.refused('a')).toBe(MINUTE);
  });

  it('a clock that was set back keeps nobody out for longer than a window', () => {
    const { limiter, clock } = limiterOf(1);
    limiter.refused('a');
    clock.now -= 24 * 60 * MINUTE;
    expect(limiter.refused('a')).toBeUndefined();
    expect(limiter.refused('a')).toBe(MINUTE);
  });

  it('what is refused uses nothing up', () => {
    const { limiter } = limiterOf(10);
    expect(limiter.refused('a', 8)).toBeUndefined();
    expect(limiter.refused('a', 3)).toBe(MINUTE);
    expect(limiter.refused('a', 2)).toBeUndefined();
  });

  it('keeps what it is told to keep, and knows what was taken', () => {
    const { limiter, clock } = limiterOf(4);
    expect([limiter.taken('a'), limiter.refused('a', 1, 2), limiter.refused('a', 1, 2)]).toEqual([
      0,
      undefined,
      undefined,
    ]);
    expect(limiter.refused('a', 1, 2)).toBe(MINUTE);
    expect([limiter.taken('a'), limiter.refused('a', 2)]).toEqual([2, undefined]);
    clock.now += MINUTE;
    expect(limiter.taken('a')).toBe(0);
  });

  it('I08: what is given back was never taken, nor is its key remembered', () => {
    const { limiter, clock } = limiterOf(2);
    limiter.refused('a');
    limiter.giveBack('a');
    expect([limiter.size, limiter.taken('a')]).toEqual([0, 0]);
    limiter.refused('b', 2);
    limiter.giveBack('b');
    expect([limiter.size, limiter.refused('b'), limiter.refused('b')]).toEqual([1, undefined, MINUTE]);
    clock.now += MINUTE;
    limiter.giveBack('b');
    expect([limiter.taken('b'), limiter.refused('b', 2), limiter.refused('b')]).toEqual([0, undefined, MINUTE]);
  });

  it('tells its policy and what is left, before and after the refusal, which says when to come back', () => {
    const { limiter, clock } = limiterOf(2);
    const policy = { 'ratelimit-policy': '"test";q=2;w=60' };
    expect(limiter.headers('a')).toEqual({ ...policy, ratelimit: '"test";r=2;t=60' });
    limiter.demand('a');
    clock.now += 10_001;
    limiter.demand('a');
    expect(limiter.headers('a')).toEqual({ ...policy, ratelimit: '"test";r=0;t=50' });
    const refusal = problemOf(() => limiter.demand('a'));
    expect(refusal.status).toBe(429);
    expect(refusal.headers()).toMatchObject({ ...policy, ratelimit: '"test";r=0;t=50', 'retry-after': '50' });
  });

  it('with a budget of 0 points is off, and has nothing to tell', () => {
    const { limiter } = limiterOf(0);
    for (let i = 0; i < 100; i++) expect(limiter.refused('a')).toBeUndefined();
    expect(limiter.headers('a')).toEqual({});
  });

  it('I08: forgets keys whose window is over: strangers cannot fill the memory', () => {
    const { limiter, clock } = limiterOf(1);
    for (let i = 0; i < 1_000; i++) limiter.refused(`first ${i}`);
    expect(limiter.size).toBe(1_000);
    clock.now += MINUTE;
    for (let i = 0; i < 1_000; i++) limiter.refused(`second ${i}`);
    expect(limiter.size).toBe(1_000);
  });

  it('J03: never allows more than the budget in a window, whoever asks when', () => {
    const { limiter, clock } = limiterOf(5, 1_000);
    const windows = new Map<string, { from: number; taken: number }>();
    let seed = 1;
    const below = (bound: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % bound;
    };
    for (let step = 0; step < 10_000; step++) {
      const [key, points] = [below(2) === 0 ? 'a' : 'b', below(5)];
      clock.now += below(400);
      let window = windows.get(key);
      if (!window || clock.now - window.from >= 1_000) window = { from: clock.now, taken: 0 };
      windows.set(key, window);
      const allowed = limiter.refused(key, points) === undefined;
      expect(allowed).toBe(window.taken + points <= 5);
      if (allowed) window.taken += points;
    }
  });
});
