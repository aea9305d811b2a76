import { describe, expect, it } from '@jest/globals';
import { countersContract } from './counters-contract.ts';
import { MemoryCounters } from './memory-counters.ts';

const MINUTE = 60_000;

countersContract('of one process', async () => {
  const clock = { now: 1_800_000_000_000 };
  const one = new MemoryCounters(() => clock.now);
  return {
    one,
    other: one,
    async pass(ms) {
      clock.now += ms;
    },
    close: () => one.close(),
  };
});

describe('counters of one process', () => {
  const charge = (key: string) => [{ counter: 'test', key, points: 1, limit: 1, windowMs: MINUTE }];

  it('I08: forget keys whose window is over: strangers cannot fill the memory', async () => {
    const clock = { now: 1_800_000_000_000 };
    const counters = new MemoryCounters(() => clock.now);
    for (let i = 0; i < 1_000; i++) await counters.take('', charge(`first ${i}`));
    expect(counters.size).toBe(1_000);
    clock.now += MINUTE;
    for (let i = 0; i < 1_000; i++) await counters.take('', charge(`second ${i}`));
    expect(counters.size).toBe(1_000);
    for (let i = 0; i < 1_000; i++) await counters.giveBack('', charge(`second ${i}`));
    expect(counters.size).toBe(0);
  });
});
