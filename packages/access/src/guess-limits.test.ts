import { describe, expect, it } from '@jest/globals';
import type { Counters } from '@sealwire/bus/counters';
import { MemoryCounters } from '@sealwire/bus/memory-counters';
import { createMetrics } from '@sealwire/service/metrics';
import { Problem } from '@sealwire/service/problem';
import { createGuessLimits } from './guess-limits.ts';

const WINDOW_MS = 10 * 60_000;

function setUp(perAddress: number, perAccount: number, counters?: Counters) {
  const clock = { now: 1_000_000 };
  const metrics = createMetrics();
  const limits = createGuessLimits({ perAddress, perAccount }, { now: () => clock.now, metrics, counters });
  /** Undefined, or the seconds to wait. */
  const refusal = async (account: string, address: string) => {
    try {
      await limits.demand(account, address);
      return undefined;
    } catch (error) {
      return (error as Problem).details.retryAfterSeconds;
    }
  };
  const wrong = async (account: string, address: string, times: number) => {
    for (let i = 0; i < times; i++) await limits.wrong(account, address);
  };
  return { clock, metrics, limits, refusal, wrong };
}

describe('I08: limits of guesses', () => {
  it('hold on both sides: as many wrong ones as allowed, then none until the window ends', async () => {
    const { clock, refusal, wrong } = setUp(3, 0);
    await wrong('alice', 'here', 2);
    expect(await refusal('alice', 'here')).toBeUndefined();
    await wrong('alice', 'here', 1);
    clock.now += 1_000;
    expect(await refusal('bob', 'here')).toBe(WINDOW_MS / 1_000 - 1);
    expect(await refusal('alice', 'there')).toBeUndefined();
    clock.now += WINDOW_MS;
    expect(await refusal('bob', 'here')).toBeUndefined();
  });

  it('of an account hold whatever the address, but for where its right password came from', async () => {
    const { limits, refusal, wrong } = setUp(0, 2);
    await limits.right('alice', 'home');
    await wrong('alice', 'a', 1);
    await wrong('alice', 'b', 1);
    expect([await refusal('alice', 'c'), await refusal('alice', 'home'), await refusal('bob', 'c')]).toEqual([
      600,
      undefined,
      undefined,
    ]);
    // A mistake at home does not use up what strangers have left.
    await wrong('bob', 'a', 1);
    await limits.right('bob', 'home');
    await wrong('bob', 'home', 5);
    expect(await refusal('bob', 'c')).toBeUndefined();
  });

  it('an account that is right from thousands of addresses makes nobody else’s unknown', async () => {
    const { limits, refusal, wrong } = setUp(0, 1);
    await limits.right('alice', 'home');
    await limits.right('alice', 'work');
    for (let i = 0; i < 20_000; i++) await limits.right('mallory', `address ${i}`);
    await wrong('alice', 'a', 1);
    expect([await refusal('alice', 'home'), await refusal('alice', 'work'), await refusal('alice', 'b')]).toEqual([
      undefined,
      undefined,
      600,
    ]);
  });

  it('the addresses of an account that were right longest ago are the first to be unknown', async () => {
    const { limits, refusal, wrong } = setUp(0, 1);
    for (const n of [0, 1, 0]) await limits.right('alice', `${n}`);
    for (let n = 2; n < 21; n++) await limits.right('alice', `${n}`);
    await wrong('alice', 'a', 1);
    expect([await refusal('alice', '0'), await refusal('alice', '1')]).toEqual([undefined, 600]);
  });

  it('known addresses are still limited as addresses', async () => {
    const { limits, refusal, wrong } = setUp(2, 1);
    await limits.right('alice', 'home');
    await wrong('alice', 'home', 2);
    expect(await refusal('alice', 'home')).toBe(600);
  });

  it('of 0 are none, and asking is no guess', async () => {
    const { refusal, wrong } = setUp(0, 0);
    await wrong('alice', 'here', 1_000);
    expect(await refusal('alice', 'here')).toBeUndefined();
    const strict = setUp(1, 1);
    for (let i = 0; i < 100; i++) expect(await strict.refusal('alice', 'here')).toBeUndefined();
  });

  it('are counted in the metrics, and named there', async () => {
    const { metrics, refusal, wrong } = setUp(1, 1);
    await wrong('alice', 'here', 1);
    await refusal('bob', 'here');
    await refusal('alice', 'there');
    const text = await metrics.text();
    for (const limiter of ['guesses-address', 'guesses-account'])
      expect(text).toContain(`sealwire_ratelimit_rejections_total{limiter="${limiter}"} 1`);
  });

  it('of two processes are one; an address that one of them knows is known to the other, for twenty of an account', async () => {
    const shared: Counters = Object.assign(new MemoryCounters(() => 1_000_000), { reach: 'nodes' as const });
    const [one, other] = [setUp(3, 2, shared), setUp(3, 2, shared)];
    await one.limits.right('alice', 'home');
    await one.wrong('alice', 'a', 1);
    await other.wrong('alice', 'b', 1);
    expect(await Promise.all([one, other].map(({ refusal }) => refusal('alice', 'c')))).toEqual([600, 600]);
    expect(await Promise.all([one, other].map(({ refusal }) => refusal('alice', 'home')))).toEqual([
      undefined,
      undefined,
    ]);
    await one.wrong('bob', 'a', 1);
    await other.wrong('bob', 'a', 1);
    expect(await other.refusal('carol', 'a')).toBe(600);
    for (let i = 0; i < 30; i++) await one.limits.right('mallory', `address ${i}`);
    await one.wrong('mallory', 'x', 1);
    await one.wrong('mallory', 'y', 1);
    expect([await other.refusal('mallory', 'address 19'), await other.refusal('mallory', 'address 25')]).toEqual([
      undefined,
      600,
    ]);
  });
});
