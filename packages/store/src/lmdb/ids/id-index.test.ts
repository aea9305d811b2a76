import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdIndex } from './id-index.ts';

const SEED = Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + 11) & 255);

function id(n: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(8, n);
  return bytes;
}

/** Fingerprints that fill all tables alike, the same number only once. */
function scattered(n: number): number {
  return Math.imul(n + 1, 0x9e3779b1);
}

describe('IdIndex', () => {
  it('finds the record of every id, through growth of all tables', () => {
    const index = new IdIndex(SEED);
    const count = 300_000;
    for (let n = 0; n < count; n++) index.add(index.fingerprint(id(n)), n >> 6);
    let elsewhere = 0;
    for (let n = 0; n < count; n += 97) {
      const records = index.records(index.fingerprint(id(n)));
      expect(records.includes(n >> 6)).toBe(true);
      elsewhere += records.length - 1;
    }
    // Three thousand questions to 300,000 fingerprints of 32 bits: a false answer now and then.
    expect(elsewhere).toBeLessThan(20);
  });

  it('answers with nothing for most ids that it does not know', () => {
    const index = new IdIndex(SEED);
    for (let n = 0; n < 10_000; n++) index.add(index.fingerprint(id(n)), 1);
    let found = 0;
    for (let n = 10_000; n < 110_000; n++) found += index.records(index.fingerprint(id(n))).length;
    expect(found).toBeLessThan(5);
  });

  it('reads an id where it lies', () => {
    const index = new IdIndex(SEED);
    const bytes = new Uint8Array(40);
    bytes.set(id(77), 13);
    expect(index.fingerprint(bytes, 13)).toBe(index.fingerprint(id(77)));
  });

  it('depends on its seed, and never gives 0, which marks a free slot', () => {
    const other = new IdIndex(SEED.map((byte) => byte ^ 0x5a));
    const index = new IdIndex(SEED);
    let same = 0;
    for (let n = 0; n < 10_000; n++) {
      expect(index.fingerprint(id(n))).not.toBe(0);
      if (index.fingerprint(id(n)) === other.fingerprint(id(n))) same++;
    }
    expect(same).toBeLessThan(5);
  });

  it('answers with all records that are not gone, and with no others', () => {
    // Few tables and few slots in them, so that entries stand in each other's way, also around the
    // end of a table.
    const fingerprint = fc
      .tuple(
        fc.constantFrom(0, 1, 1024, 2047),
        fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 21 - 1 })),
      )
      .map(([table, rest]) => (table << 21) | rest);
    const add = fc.record({ fingerprint, step: fc.integer({ min: 0, max: 2 }) });
    const forget = fc.record({ keep: fc.integer({ min: -1, max: 200 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2 ** 31 - 50, 2 ** 32 - 50, 2 ** 32 + 2 ** 31 - 50, 2 ** 45 - 50),
        fc.array(fc.oneof({ weight: 30, arbitrary: add }, { weight: 1, arbitrary: forget }), {
          maxLength: 600,
          size: 'max',
        }),
        (base, steps) => {
          const index = new IdIndex(SEED);
          const model = new Map<number, number[]>();
          let first = base;
          let newest = base;
          index.forgetBelow(first);
          const check = (): void => {
            const remembered = [...model.values()].map((records) => records.filter((record) => record >= first));
            const answers = [...model.keys()].map((known) => sorted(index.records(known)));
            expect(answers.join(';')).toBe(remembered.join(';'));
          };
          for (const step of steps) {
            if ('keep' in step) {
              first = Math.max(first, newest - step.keep);
              index.forgetBelow(first);
              check();
            } else {
              newest = Math.max(newest, first) + step.step;
              index.add(step.fingerprint, newest);
              const records = model.get(step.fingerprint) ?? [];
              if (records.at(-1) !== newest) records.push(newest);
              model.set(step.fingerprint, records);
            }
          }
          check();
        },
      ),
      { seed: 20_260_915, numRuns: 60 },
    );
  });

  it('keeps numbers right over 2^32 records', () => {
    const index = new IdIndex(SEED);
    const base = 2 ** 32 + 5;
    index.forgetBelow(base);
    index.add(7, base);
    index.add(7, base + 2 ** 32 - 1);
    expect(sorted(index.records(7))).toEqual([base, base + 2 ** 32 - 1]);
    index.forgetBelow(base + 1);
    expect(index.records(7)).toEqual([base + 2 ** 32 - 1]);
    index.forgetBelow(base + 2 ** 32);
    expect(index.records(7)).toEqual([]);
  });

  it('allocates nothing for an id that it does not know', () => {
    const index = new IdIndex(SEED);
    const none = index.records(7);
    index.add(8, 1);
    index.add(7, 1);
    index.forgetBelow(2);
    expect(index.records(7)).toBe(none);
  });

  it('has one entry for a message that comes again under the same number', () => {
    const index = new IdIndex(SEED);
    for (let i = 0; i < 100; i++) index.add(7, 3);
    expect(index.records(7)).toEqual([3]);
    expect(index.sizes()).toEqual([16]);
  });

  it('has no tables when it is empty, and grows them one at a time, each by its share', () => {
    const index = new IdIndex(SEED);
    expect(index.sizes()).toEqual([]);
    let slots = 0;
    for (let n = 0; n < 1_000; n++) {
      index.add(scattered(n), n);
      const now = total(index);
      expect(now - slots).toBeLessThanOrEqual(16);
      slots = now;
    }
    for (let n = 1_000; n < 500_000; n++) index.add(scattered(n), n);
    // 244 entries in each.
    expect(index.sizes()).toEqual(new Array(2_048).fill(512));
  });

  it('takes room for what it remembers, not for what it has forgotten', () => {
    const index = new IdIndex(SEED);
    let n = 0;
    const pass = (messages: number, remembered: number): void => {
      for (const end = n + messages; n < end; n++) {
        index.add(scattered(n), n);
        if (n % 1_000 === 0) index.forgetBelow(Math.max(0, n - remembered));
      }
    };
    pass(800_000, 100_000);
    expect(total(index)).toBeLessThan(400_000);
    // A quieter time: tables become smaller.
    pass(400_000, 20_000);
    expect(total(index)).toBeLessThan(80_000);
    for (let recent = n - 19_000; recent < n; recent += 7)
      expect(index.records(scattered(recent)).includes(recent)).toBe(true);
  });
});

function sorted(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}

function total(index: IdIndex): number {
  return index.sizes().reduce((sum, slots) => sum + slots, 0);
}
