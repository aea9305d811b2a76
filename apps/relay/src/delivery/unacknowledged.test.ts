import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Unacknowledged } from './unacknowledged.ts';

/** Some come; some of what is out is acknowledged, up to a number that may be out or not. */
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ adds: fc.constantFrom(1, 2, 30, 80), size: fc.nat(100) }) },
    { weight: 2, arbitrary: fc.record({ share: fc.constantFrom(0, 0.2, 0.5, 0.8, 1) }) },
  ),
  { maxLength: 40 },
);

fc.configureGlobal({ seed: 0x5ea1 });

describe('Unacknowledged', () => {
  it('counts what came and was not acknowledged', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const window = new Unacknowledged({ windowMessages: 300, windowBytes: 10_000 });
        const out = new Map<number, number>();
        let last = 10;
        let upTo = last;
        for (const step of sequence) {
          if ('adds' in step) {
            for (let n = 0; n < step.adds; n++) {
              last += 1 + (n % 2);
              window.add(last, step.size + n);
              out.set(last, step.size + n);
            }
          } else {
            upTo += Math.floor((last - upTo) * step.share);
            window.acknowledge(upTo);
            for (const seq of out.keys()) if (seq <= upTo) out.delete(seq);
          }
          const bytes = [...out.values()].reduce((sum, size) => sum + size, 0);
          expect([window.messages, window.bytes]).toEqual([out.size, bytes]);
          expect([window.roomMessages, window.roomBytes]).toEqual([300 - out.size, 10_000 - bytes]);
          expect(window.fits(50)).toBe(out.size === 0 || (out.size < 300 && bytes <= 9_950));
          expect(window.isRoomy).toBe(out.size <= 150 && bytes <= 5_000);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('L08: keeps no more than a few places of what was acknowledged, however long the socket lives', () => {
    const window = new Unacknowledged({ windowMessages: 300, windowBytes: 10_000 });
    const places = () => Math.max(...Object.values(window).map((each) => (Array.isArray(each) ? each.length : 0)));
    // One is always out, so that the window is never empty.
    window.add(0, 1);
    for (let seq = 1; seq <= 10_000; seq++) {
      window.add(seq, 1);
      window.acknowledge(seq - 1);
    }
    expect(window.messages).toBe(1);
    expect(places()).toBeLessThan(300);
  });
});
