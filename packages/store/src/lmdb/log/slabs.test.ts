import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordSlabs } from './slabs.ts';

describe('RecordSlabs', () => {
  it('never gives a byte to two at a time, whatever is released when', () => {
    const step = fc.record({ length: fc.constantFrom(0, 1, 100_000, 1_000_000, 3_000_000), releases: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const slabs = new RecordSlabs();
        const held: { bytes: Buffer; mark: number }[] = [];
        for (const [i, { length, releases }] of steps.entries()) {
          const bytes = slabs.allocate(length);
          expect(bytes.length).toBe(length);
          mark(bytes, i);
          held.push({ bytes, mark: i });
          for (const one of held) expect(isMarked(one.bytes, one.mark)).toBe(true);
          for (const { bytes: old } of held.splice(0, releases)) slabs.release(old);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('uses the same memory again and again', () => {
    const slabs = new RecordSlabs();
    const seen = new Set<ArrayBufferLike>();
    const held: Buffer[] = [];
    for (let i = 0; i < 200; i++) {
      const bytes = slabs.allocate(400_000);
      seen.add(bytes.buffer);
      held.push(bytes);
      if (held.length > 8) slabs.release(held.shift() as Buffer);
    }
    expect(seen.size).toBeLessThan(6);
  });

  it('does not mind what is not its own', () => {
    expect(() => new RecordSlabs().release(Buffer.alloc(3))).not.toThrow();
  });
});

function mark(bytes: Buffer, value: number): void {
  if (bytes.length === 0) return;
  bytes[0] = value;
  bytes[bytes.length - 1] = value;
}

function isMarked(bytes: Buffer, value: number): boolean {
  return bytes.length === 0 || (bytes[0] === value && bytes[bytes.length - 1] === value);
}
