import { describe, expect, it } from '@jest/globals';
import { FakeTime } from '../testing/fake-time.ts';
import { TICK_MS, TimerWheel, ticks, type WheelEntry } from './timer-wheel.ts';

function entry(next: (tick: number) => number): WheelEntry & { calls: number[] } {
  return {
    slot: -1,
    calls: [],
    due(tick) {
      this.calls.push(tick);
      return next(tick);
    },
  };
}

describe('TimerWheel', () => {
  it('calls an entry at its tick, and again when it says', () => {
    const time = new FakeTime();
    const wheel = new TimerWheel(time);
    const every3 = entry((tick) => tick + 3);
    const once = entry(() => 0);
    wheel.set(every3, 2);
    wheel.set(once, 4);
    time.pass(10 * TICK_MS);
    expect(every3.calls).toEqual([2, 5, 8]);
    expect(once.calls).toEqual([4]);
    expect(once.slot).toBe(-1);
  });

  it('moves an entry, takes it out, and never skips one that is set for the past', () => {
    const time = new FakeTime();
    const wheel = new TimerWheel(time);
    const [moved, removed, late] = [entry(() => 0), entry(() => 0), entry(() => 0)];
    wheel.set(moved, 2);
    wheel.set(moved, 5);
    wheel.set(removed, 3);
    wheel.remove(removed);
    wheel.set(late, -7);
    time.pass(10 * TICK_MS);
    expect([moved.calls, removed.calls, late.calls]).toEqual([[5], [], [1]]);
  });

  it('asks early what is due beyond one turn of the wheel', () => {
    const time = new FakeTime();
    const wheel = new TimerWheel(time);
    const far = entry((tick) => (tick >= 2_000 ? 0 : 2_000));
    wheel.set(far, 2_000);
    time.pass(2_000 * TICK_MS);
    expect(far.calls.at(-1)).toBe(2_000);
    expect(far.calls.length).toBeLessThan(6);
  });

  it('stands still after stop', () => {
    const time = new FakeTime();
    const wheel = new TimerWheel(time);
    const never = entry((tick) => tick + 1);
    wheel.set(never, 1);
    wheel.stop();
    time.pass(10 * TICK_MS);
    expect(never.calls).toEqual([]);
  });

  it('counts whole ticks', () => {
    expect([ticks(1), ticks(TICK_MS), ticks(TICK_MS + 1)]).toEqual([1, 1, 2]);
  });
});
