import { describe, expect, it } from '@jest/globals';
import { silentLog } from '@sealwire/service/log';
import { createMetrics } from '@sealwire/service/metrics';
import { openMemoryStore } from '@sealwire/store/memory';
import type { Store } from '@sealwire/store/port';
import { turns } from '../testing/test-relay.ts';
import { Expiry } from './expiry.ts';

const LIFE_MS = 1_000;
const EVERY_MS = 60_000;

/** A node that sweeps, and what it asked of the store. `found`: what each call of the store finds to expire. */
function node(store: Store, now: () => number, found: number[]) {
  const calls: [horizon: number, limit: number][] = [];
  const mailboxes = {
    ...store.mailboxes,
    async expire(horizon: number, limit: number) {
      calls.push([horizon, limit]);
      return found.shift() ?? 0;
    },
  };
  const settings = { expireEveryMs: EVERY_MS };
  const clock = { advance: async () => {}, horizon: () => now() - LIFE_MS };
  return { expiry: new Expiry({ ...store, mailboxes }, clock, settings, now, createMetrics(), silentLog), calls };
}

describe('the sweep of the mailboxes', () => {
  it('goes on until nothing is left, and one node sweeps at a time', async () => {
    const store = openMemoryStore();
    let now = 10_000;
    const one = node(store, () => now, [40, 40, 7]);
    const other = node(store, () => now, []);
    one.expiry.due(1);
    other.expiry.due(1);
    await turns(3);
    expect(one.calls).toEqual(Array.from({ length: 4 }, () => [9_000, 100]));
    expect(other.calls).toEqual([]);
    // Its own next time the first one has the lease again, and a node that died is followed by another.
    now += EVERY_MS;
    other.expiry.due(2);
    one.expiry.due(2);
    await turns(3);
    expect([one.calls.length, other.calls.length]).toEqual([4, 1]);
  });

  it.each([
    ['an hour', 3_600_000],
    ['ten years', 3_650 * 86_400_000],
  ])('goes on when a clock that was %s ahead is right again', async (_, ms) => {
    const store = openMemoryStore();
    let now = 10_000 + ms;
    const one = node(store, () => now, []);
    one.expiry.due(1);
    await turns(3);
    now -= ms;
    one.expiry.due(2);
    await turns(3);
    expect(one.calls.map(([horizon]) => horizon)).toEqual([9_000 + ms, 9_000]);
  });
});
