import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '@sealwire/service/metrics';
import { Problem } from '@sealwire/service/problem';
import { createGuessLimits } from './guess-limits.ts';

const WINDOW_MS = 10 * 60_000;

function setUp(perAddress: number, perAccount: number) {
  const clock = { now: 1_000_000 };
  const metrics = createMetrics();
  const limits = createGuessLimits({ perAddress, perAccount }, { now: () => clock.now, metrics });
  /** Undefined, or the seconds to wait. */
  const refusal = (account: string, address: string) => {
    try {
      limits.demand(account, address);
      return undefined;
    } catch (error) {
      return (error as Problem).details.retryAfterSeconds;
    }
  };
  const wrong = (account: string, address: string, times: number) => {
    for (let i = 0; i < times; i++) limits.wrong(account, address);
  };
  return { clock, metrics, limits, refusal, wrong };
}

describe('I08: limits of guesses', () => {
  it('hold on both sides: as many wrong ones as allowed, then none until the window ends', () => {
    const { clock, refusal, wrong } = setUp(3, 0);
    wrong('alice', 'here', 2);
    expect(refusal('alice', 'here')).toBeUndefined();
    wrong('alice', 'here', 1);
    clock.now += 1_000;
    expect(refusal('bob', 'here')).toBe(WINDOW_MS / 1_000 - 1);
    expect(refusal('alice', 'there')).toBeUndefined();
    clock.now += WINDOW_MS;
    expect(refusal('bob', 'here')).toBeUndefined();
  });

  it('of an account hold whatever the address, but for where its right password came from', () => {
    const { limits, refusal, wrong } = setUp(0, 2);
    limits.right('alice', 'home');
    wrong('alice', 'a', 1);
    wrong('alice', 'b', 1);
    expect([refusal('alice', 'c'), refusal('alice', 'home'), refusal('bob', 'c')]).toEqual([600, undefined, undefined]);
    // A mistake at home does not use up what strangers have left.
    wrong('bob', 'a', 1);
    limits.right('bob', 'home');
    wrong('bob', 'home', 5);
    expect(refusal('bob', 'c')).toBeUndefined();
  });

  it('an account that is right from thousands of addresses makes nobody else’s unknown', () => {
    const { limits, refusal, wrong } = setUp(0, 1);
    limits.right('alice', 'home');
    limits.right('alice', 'work');
    for (let i = 0; i < 20_000; i++) limits.right('mallory', `address ${i}`);
    wrong('alice', 'a', 1);
    expect([refusal('alice', 'home'), refusal('alice', 'work'), refusal('alice', 'b')]).toEqual([
      undefined,
      undefined,
      600,
    ]);
  });

  it('the addresses of an account that were right longest ago are the first to be unknown', () => {
    const { limits, refusal, wrong } = setUp(0, 1);
    for (const n of [0, 1, 0]) limits.right('alice', `${n}`);
    for (let n = 2; n < 21; n++) limits.right('alice', `${n}`);
    wrong('alice', 'a', 1);
    expect([refusal('alice', '0'), refusal('alice', '1')]).toEqual([undefined, 600]);
  });

  it('known addresses are still limited as addresses', () => {
    const { limits, refusal, wrong } = setUp(2, 1);
    limits.right('alice', 'home');
    wrong('alice', 'home', 2);
    expect(refusal('alice', 'home')).toBe(600);
  });

  it('of 0 are none, and asking is no guess', () => {
    const { refusal, wrong } = setUp(0, 0);
    wrong('alice', 'here', 1_000);
    expect(refusal('alice', 'here')).toBeUndefined();
    const strict = setUp(1, 1);
    for (let i = 0; i < 100; i++) expect(strict.refusal('alice', 'here')).toBeUndefined();
  });

  it('are counted in the metrics, and named there', async () => {
    const { metrics, refusal, wrong } = setUp(1, 1);
    wrong('alice', 'here', 1);
    refusal('bob', 'here');
    refusal('alice', 'there');
    const text = await metrics.text();
    for (const limiter of ['guesses-address', 'guesses-account'])
      expect(text).toContain(`sealwire_ratelimit_rejections_total{limiter="${limiter}"} 1`);
  });
});
