import { describe, expect, it } from '@jest/globals';
import { AcceptedIndex } from './accepted-index.ts';

const SEED = Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + 11) & 255);

function id(n: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(8, n);
  return bytes;
}

describe('AcceptedIndex', () => {
  it('finds the record of every id, through growth and over several tables', () => {
    const index = new AcceptedIndex(SEED);
    const count = 700_000;
    for (let n = 0; n < count; n++) index.add(index.fingerprint(id(n)), n >> 6);
    let elsewhere = 0;
    for (let n = 0; n < count; n += 97) {
      const records = index.records(index.fingerprint(id(n)));
      expect(records.includes(n >> 6)).toBe(true);
      elsewhere += records.length - 1;
    }
    // Seven thousand questions to 700,000 fingerprints of 32 bits: about one false answer.
    expect(elsewhere).toBeLessThan(20);
  });

  it('answers with nothing for most ids that it does not know', () => {
    const index = new AcceptedIndex(SEED);
    for (let n = 0; n < 10_000; n++) index.add(index.fingerprint(id(n)), 1);
    let found = 0;
    for (let n = 10_000; n < 110_000; n++) found += index.records(index.fingerprint(id(n))).length;
    expect(found).toBeLessThan(5);
  });

  it('reads an id where it lies', () => {
    const index = new AcceptedIndex(SEED);
    const bytes = new Uint8Array(40);
    bytes.set(id(77), 13);
    expect(index.fingerprint(bytes, 13)).toBe(index.fingerprint(id(77)));
  });

  it('depends on its seed, and never gives 0, which marks a free slot', () => {
    const other = new AcceptedIndex(SEED.map((byte) => byte ^ 0x5a));
    const index = new AcceptedIndex(SEED);
    let same = 0;
    for (let n = 0; n < 10_000; n++) {
      expect(index.fingerprint(id(n))).toBeGreaterThan(0);
      if (index.fingerprint(id(n)) === other.fingerprint(id(n))) same++;
    }
    expect(same).toBeLessThan(5);
  });

  it('forgets tables whose records are gone, and keeps numbers right beyond 32 bits', () => {
    const index = new AcceptedIndex(SEED);
    const base = 2 ** 32 + 5;
    index.forgetBelow(base - 10);
    index.add(index.fingerprint(id(1)), base);
    expect(index.records(index.fingerprint(id(1)))).toEqual([base]);
    index.forgetBelow(base + 1);
    expect(index.records(index.fingerprint(id(1)))).toEqual([]);
  });
});
