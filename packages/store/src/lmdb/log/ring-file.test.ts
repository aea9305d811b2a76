import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Place, RING_ID_BYTES, RingFile, ringCapacity } from './ring-file.ts';

const PAGE = 4_096;
const BEGINNING: Place = { offset: 0, previous: 0, seal: 0 };
const ID = Buffer.alloc(RING_ID_BYTES, 7);

let folder: string;
let path: string;
let opened: RingFile[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealwire-ring-'));
  path = join(folder, 'ring');
  opened = [];
});

afterEach(() => {
  closeAll();
  rmSync(folder, { recursive: true });
});

function open(capacity: number, id = ID): RingFile {
  const file = new RingFile(path, { id, capacity });
  opened.push(file);
  return file;
}

function closeAll(): void {
  for (const file of opened.splice(0)) file.close();
}

interface CommitRecord {
  readonly lsn: number;
  readonly payload: Buffer;
}

/** All that follows `start`. */
function chain(file: RingFile, start: Place): { records: CommitRecord[]; end: Place } {
  const records: CommitRecord[] = [];
  let end = start;
  for (let next = file.read(end); next; next = file.read(end)) {
    records.push({ lsn: next.lsn, payload: next.payload });
    end = next.next;
  }
  return { records, end };
}

/** A payload of this many bytes, told apart by its LSN. */
function payloadOf(lsn: number, length: number): Buffer {
  return Buffer.alloc(length, lsn % 251);
}

/** Appends records of these lengths, numbered from `end`; where each one ends. */
function appendAll(file: RingFile, end: Place, ...lengths: number[]): Place[] {
  return lengths.map((length) => {
    const lsn = end.previous + 1;
    const next = file.append(BEGINNING, end, lsn, [payloadOf(lsn, length)]);
    if (!next) throw new Error(`no room for ${length} bytes`);
    end = next;
    return next;
  });
}

describe('RingFile', () => {
  it('holds the records since the start, however often the ring went round, also for who opens it anew', () => {
    const step = fc.record({
      length: fc.oneof(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 3 * PAGE }),
        fc.constantFrom(PAGE - 32, PAGE - 31, 16 * PAGE - 32, 16 * PAGE),
      ),
      cuts: fc.nat(300),
      gap: fc.constantFrom(1, 1, 2, 5),
      advance: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(6) }),
      reopens: fc.constantFrom(false, false, false, true),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(3), (steps, extra) => {
        closeAll();
        rmSync(path, { force: true });
        const capacity = 16 * PAGE;
        let file = open(ringCapacity(capacity + extra));
        let start = BEGINNING;
        let end = BEGINNING;
        let lsn = 0;
        let kept: (CommitRecord & { end: Place })[] = [];
        for (const { length: bytes, cuts, gap, advance, reopens } of steps) {
          lsn += gap;
          const payload = payloadOf(lsn, bytes);
          const next = file.append(start, end, lsn, [payload.subarray(0, cuts), payload.subarray(cuts)]);
          const pages = Math.ceil((32 + bytes) / PAGE) * PAGE;
          if (next) {
            expect(next.offset - pages === end.offset || next.offset === pages).toBe(true);
            expect([next.offset % PAGE, next.previous]).toEqual([0, lsn]);
            expect(next.offset).toBeLessThanOrEqual(capacity);
            kept.push({ lsn, payload, end: next });
            end = next;
          } else {
            // An empty ring has room in at least one of its two halves.
            expect(kept.length > 0 || pages >= capacity / 2).toBe(true);
          }
          if (reopens) {
            closeAll();
            file = open(capacity);
          }
          const found = chain(file, start);
          expect(found.records.map((one) => one.lsn)).toEqual(kept.map((one) => one.lsn));
          expect(found.records.every((one, i) => one.payload.equals(kept[i]?.payload as Buffer))).toBe(true);
          expect(found.end).toEqual(end);
          start = kept[advance - 1]?.end ?? (advance > 0 ? end : start);
          kept = kept.slice(advance);
          const used = file.used(start, end);
          const least = kept.reduce((sum, one) => sum + Math.ceil((32 + one.payload.length) / PAGE) * PAGE, 0);
          expect(used).toBeGreaterThanOrEqual(least);
          expect(used).toBeLessThanOrEqual(kept.length === 0 ? 0 : capacity);
        }
      }),
    );
  });

  it('is for its owner only', () => {
    open(PAGE);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes a record of more buffers than the system writes at once', () => {
    const file = open(64 * PAGE);
    const parts = Array.from({ length: 3_000 }, (_, i) => Buffer.alloc(10, i));
    expect(file.append(BEGINNING, BEGINNING, 1, parts)).toBeDefined();
    expect(file.read(BEGINNING)?.payload.equals(Buffer.concat(parts))).toBe(true);
  });

  it('counts a ring that is full to its last byte as full', () => {
    const file = open(2 * PAGE);
    const [, end] = appendAll(file, BEGINNING, 10, 10) as [Place, Place];
    expect(file.used(BEGINNING, end)).toBe(2 * PAGE);
  });

  it('changes nothing when there is no room', () => {
    const file = open(4 * PAGE);
    const [first, , third] = appendAll(file, BEGINNING, 10, PAGE, 20) as [Place, Place, Place];
    const before = readFileSync(path);
    expect(file.append(BEGINNING, third, 4, [Buffer.alloc(1)])).toBeUndefined();
    // As many bytes as are free: then a full ring would look like an empty one.
    expect(file.append(first, third, 4, [Buffer.alloc(1)])).toBeUndefined();
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(chain(file, BEGINNING).records).toHaveLength(3);
  });

  it('goes round: a record that does not fit behind the newest is at the beginning', () => {
    const file = open(4 * PAGE);
    const [, second, third] = appendAll(file, BEGINNING, 10, PAGE, 20) as [Place, Place, Place];
    const fourth = file.append(second, third, 4, [Buffer.from('round')]);
    expect(fourth).toMatchObject({ offset: PAGE, previous: 4 });
    const { records, end } = chain(file, second);
    expect(records.map(({ lsn }) => lsn)).toEqual([3, 4]);
    expect(records[1]?.payload.toString()).toBe('round');
    expect(end).toEqual(fourth);
  });

  it.each([0, 1, PAGE - 1])('with a capacity of %i bytes never takes anything', (bytes) => {
    const file = open(ringCapacity(bytes));
    expect(file.append(BEGINNING, BEGINNING, 1, [])).toBeUndefined();
    expect(file.append(BEGINNING, BEGINNING, 1, [Buffer.alloc(10)])).toBeUndefined();
    expect(file.read(BEGINNING)).toBeUndefined();
    expect(statSync(path).size).toBe(0);
  });
});

describe('a record that is torn', () => {
  const LENGTHS = [50, 2 * PAGE, 60];
  let whole: Buffer;
  let starts: number[];

  beforeEach(() => {
    const ends = appendAll(open(16 * PAGE), BEGINNING, ...LENGTHS);
    starts = [0, ...ends.map(({ offset }) => offset)];
    closeAll();
    whole = readFileSync(path);
  });

  function lsnsIn(bytes: Buffer): number[] {
    writeFileSync(path, bytes);
    const { records } = chain(open(16 * PAGE), BEGINNING);
    closeAll();
    return records.map(({ lsn }) => lsn);
  }

  it('by any single byte is not read, and neither is what follows', () => {
    expect(lsnsIn(whole)).toEqual([1, 2, 3]);
    for (const [i, length] of LENGTHS.entries()) {
      const from = starts[i] as number;
      const end = from + 32 + length;
      const all = Array.from({ length: 32 + length }, (_, at) => from + at);
      // All of the head, and of a long payload some.
      for (const at of all.filter((one) => one < from + 40 || one === end - 1 || one % 97 === 0)) {
        const torn = Buffer.from(whole);
        torn[at] = (torn[at] as number) ^ 0x10;
        expect([at, lsnsIn(torn)]).toEqual([at, [1, 2, 3].slice(0, i)]);
      }
    }
  });

  it('by a sector that was not written is not read, and neither is what follows', () => {
    for (const [i, length] of LENGTHS.entries())
      for (let at = starts[i] as number; at < (starts[i] as number) + 32 + length; at += 512) {
        const torn = Buffer.from(whole);
        torn.fill(0, at, Math.min(at + 512, torn.length));
        expect([at, lsnsIn(torn)]).toEqual([at, [1, 2, 3].slice(0, i)]);
      }
  });

  it('by the end of the file is not read', () => {
    for (const [i, length] of LENGTHS.entries())
      for (const at of [0, 1, 31, 32, 33, 31 + length]) {
        writeFileSync(path, whole);
        truncateSync(path, (starts[i] as number) + at);
        const { records } = chain(open(16 * PAGE), BEGINNING);
        expect(records.map(({ lsn }) => lsn)).toEqual([1, 2, 3].slice(0, i));
        closeAll();
      }
  });

  it('makes way for the next one', () => {
    const torn = Buffer.from(whole);
    torn.fill(0, (starts[1] as number) + PAGE, (starts[1] as number) + PAGE + 512);
    writeFileSync(path, torn);
    const file = open(16 * PAGE);
    const { end } = chain(file, BEGINNING);
    // As long as the torn one, so that it ends where the lost third record begins; under an LSN of
    // its own.
    const next = file.append(BEGINNING, end, 5, [payloadOf(5, 2 * PAGE)]);
    expect(next).toBeDefined();
    expect(chain(file, BEGINNING).records.map(({ lsn }) => lsn)).toEqual([1, 5]);
  });
});

describe('what is no record of this place', () => {
  it('is one of an older round', () => {
    const file = open(4 * PAGE);
    const third = appendAll(file, BEGINNING, 10, 10, 10).at(-1) as Place;
    // It ends where the third one of the first round begins.
    const fourth = file.append(third, third, 4, [payloadOf(4, 2 * PAGE - 32)]) as Place;
    expect(fourth).toMatchObject({ offset: 2 * PAGE, previous: 4 });
    expect(chain(file, third)).toMatchObject({ records: [{ lsn: 4 }], end: fourth });
  });

  it('is one of another ring', () => {
    const [first] = appendAll(open(4 * PAGE), BEGINNING, 10, 10) as [Place];
    const other = open(4 * PAGE, Buffer.alloc(RING_ID_BYTES, 8));
    for (const place of [BEGINNING, first]) expect(other.read(place)).toBeUndefined();
  });

  it('is one whose predecessor differs, or whose LSN does not grow', () => {
    const file = open(4 * PAGE);
    appendAll(file, BEGINNING, 10);
    for (const previous of [1, 2, 2 ** 40]) expect(file.read({ ...BEGINNING, previous })).toBeUndefined();
    expect(file.read({ ...BEGINNING, seal: 1 })).toBeUndefined();
    file.append(BEGINNING, { ...BEGINNING, previous: 9 }, 9, [Buffer.alloc(10)]);
    expect(file.read({ ...BEGINNING, previous: 9 })).toBeUndefined();
  });

  it('is one of a history that was undone: its predecessor has the same LSN and place, and says something else', () => {
    const file = open(8 * PAGE);
    const [first] = appendAll(file, BEGINNING, 10, 10, 10) as [Place];
    expect(chain(file, BEGINNING).records.map(({ lsn }) => lsn)).toEqual([1, 2, 3]);
    file.append(BEGINNING, first, 2, [Buffer.from('ten bytes!')]);
    expect(chain(file, BEGINNING).records.map(({ lsn }) => lsn)).toEqual([1, 2]);
  });
});
