import { describe, expect, it } from '@jest/globals';
import { MemoryCounters } from '@sealwire/bus/memory-counters';
import { createMetrics } from '../observe/metrics.ts';
import { Problem } from './problem.ts';
import { createLimiter } from './rate-limit.ts';

const MINUTE = 60_000;

function limiterOf(points: number, windowMs = MINUTE) {
  const clock = { now: 1_800_000_000_000 };
  const metrics = createMetrics();
  return { clock, metrics, limiter: createLimiter('test', { points, windowMs }, { now: () => clock.now, metrics }) };
}

async function problemOf(run: () => Promise<unknown>): Promise<Problem> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('no problem');
}

describe('a limiter', () => {
  it('allows the budget, then says how long to wait, each key for itself, and counts refusals', async () => {
    const { limiter, clock, metrics } = limiterOf(2);
    expect(await limiter.refused('a')).toBeUndefined();
    clock.now += 1_500;
    expect(await limiter.refused('a')).toBeUndefined();
    expect(await limiter.refused('a')).toBe(58_500);
    expect(await limiter.spent('a')).toBe(58_500);
    expect(await limiter.refused('b', 2)).toBeUndefined();
    await problemOf(() => limiter.demand('b'));
    expect(await metrics.text()).toContain('sealwire_ratelimit_rejections_total{limiter="test"} 3');
  });

  it('begins a new window by the clock it is given', async () => {
    const { limiter, clock } = limiterOf(1);
    expect(await limiter.refused('a')).toBeUndefined();
    clock.now += MINUTE - 1;
    expect(await limiter.refused('a')).toBe(1);
    clock.now += 1;
    expect(await limiter.refused('a')).toBeUndefined();
    expect(await limiter.refused('a')).toBe(MINUTE);
  });

  it('a clock that was set back keeps nobody out for longer than a window', async () => {
    const { limiter, clock } = limiterOf(1);
    await limiter.refused('a');
    clock.now -= 24 * 60 * MINUTE;
    expect(await limiter.refused('a')).toBeUndefined();
    expect(await limiter.refused('a')).toBe(MINUTE);
  });

  it('what is refused uses nothing up', async () => {
    const { limiter } = limiterOf(10);
    expect(await limiter.refused('a', 8)).toBeUndefined();
    expect(await limiter.refused('a', 3)).toBe(MINUTE);
    expect(await limiter.refused('a', 2)).toBeUndefined();
  });

  it('tells its policy and what is left, and the refusal says when to come back', async () => {
    const { limiter, clock } = limiterOf(2);
    const policy = { 'ratelimit-policy': '"test";q=2;w=60' };
    expect(await limiter.demand('a')).toEqual({ ...policy, ratelimit: '"test";r=1;t=60' });
    clock.now += 10_001;
    expect(await limiter.demand('a')).toEqual({ ...policy, ratelimit: '"test";r=0;t=50' });
    const refusal = await problemOf(() => limiter.demand('a'));
    expect(refusal.status).toBe(429);
    expect(refusal.headers()).toMatchObject({ ...policy, ratelimit: '"test";r=0;t=50', 'retry-after': '50' });
  });

  it('with a budget of 0 points is off, and has nothing to tell', async () => {
    const { limiter } = limiterOf(0);
    for (let i = 0; i < 100; i++) expect(await limiter.refused('a')).toBeUndefined();
    expect(await limiter.demand('a')).toEqual({});
  });

  it('of two processes with the same counters have one budget, each limiter for itself', async () => {
    const metrics = createMetrics();
    const now = () => 1;
    const counters = new MemoryCounters(now);
    const make = (name: string) => createLimiter(name, { points: 2, windowMs: MINUTE }, { now, metrics, counters });
    const [here, there, another] = [make('test'), make('test'), make('another')];
    expect([await here.refused('a'), await there.refused('a'), await here.refused('a')]).toEqual([
      undefined,
      undefined,
      MINUTE,
    ]);
    expect(await another.refused('a')).toBeUndefined();
  });

  it('J03: never allows more than the budget in a window, whoever asks when', async () => {
    const { limiter, clock } = limiterOf(5, 1_000);
    const windows = new Map<string, { from: number; taken: number }>();
    let seed = 1;
    const below = (bound: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % bound;
    };
    for (let step = 0; step < 10_000; step++) {
      const [key, points] = [below(2) === 0 ? 'a' : 'b', below(4) + 1];
      clock.now += below(400);
      let window = windows.get(key);
      if (!window || clock.now - window.from >= 1_000) window = { from: clock.now, taken: 0 };
      const allowed = (await limiter.refused(key, points)) === undefined;
      expect(allowed).toBe(window.taken + points <= 5);
      if (!allowed) continue;
      window.taken += points;
      windows.set(key, window);
    }
  });
});
