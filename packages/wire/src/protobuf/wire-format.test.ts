import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Reader } from './reader.ts';
import { sizeOfUint, Writer } from './writer.ts';

fc.configureGlobal({ seed: 0x5ea1 });

const reader = (...bytes: number[]) => new Reader(Uint8Array.from(bytes), 'test');
const refusal = (what: string) => expect.objectContaining({ name: 'WireError', code: 'test', message: what });

/** One field of each kind, then the end. */
function fieldOf(bytes: readonly number[]) {
  const input = reader(...bytes);
  const field = input.field();
  return { field, input };
}

describe('Reader', () => {
  it('reads a varint of every length up to 2^53 - 1', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = new Writer().uint(1, value).finish();
        if (value === 0) return expect(bytes).toHaveLength(0);
        const input = new Reader(bytes, 'test');
        expect(input.field()).toBe(1);
        expect(input.uint()).toBe(value);
        expect(input.done).toBe(true);
        expect(bytes).toHaveLength(1 + sizeOfUint(value));
      }),
    );
  });

  it('takes 2^53 - 1 and refuses 2^53, 2^64 - 1 and eleven bytes', () => {
    const full = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    expect(fieldOf([...full, 0x0f]).input.uint()).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => fieldOf([0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]).input.uint()).toThrow(
      refusal('number beyond 2^53 - 1'),
    );
    expect(() => fieldOf([...full, 0xff, 0xff, 0x01]).input.uint()).toThrow(refusal('number beyond 2^53 - 1'));
    expect(() => fieldOf([0x08, ...new Array(10).fill(0x80), 0]).input.uint()).toThrow(
      refusal('varint beyond ten bytes'),
    );
    expect(fieldOf([0x08, ...new Array(9).fill(0x80), 0]).input.uint()).toBe(0);
  });

  it('passes over an unknown number of all 64 bits, but not over one of eleven bytes', () => {
    const { input } = fieldOf([0x08, ...new Array(9).fill(0xff), 0x01, 0x10, 0x05]);
    input.skip();
    expect([input.field(), input.uint()]).toEqual([2, 5]);
    expect(() => fieldOf([0x08, ...new Array(10).fill(0xff), 0x01]).input.skip()).toThrow(
      refusal('varint beyond ten bytes'),
    );
  });

  it('refuses field number 0, numbers beyond 2^29 - 1 and the group wire types', () => {
    expect(() => fieldOf([0x02, 0x00])).toThrow(refusal('impossible field number'));
    expect(() => fieldOf([0x80, 0x80, 0x80, 0x80, 0x10])).toThrow(refusal('impossible field number'));
    expect(fieldOf([0xf8, 0xff, 0xff, 0xff, 0x0f, 0]).field).toBe(2 ** 29 - 1);
    for (const wireType of [3, 4, 6, 7])
      expect(() => fieldOf([0x08 | wireType, 0]).input.skip()).toThrow(refusal('group or unknown wire type'));
  });

  it('passes over fixed32, fixed64 and bytes, and sees where they are cut', () => {
    for (const [wireType, size] of [
      [5, 4],
      [1, 8],
    ] as const) {
      const { input } = fieldOf([0x78 | wireType, ...new Array(size).fill(9)]);
      input.skip();
      expect(input.done).toBe(true);
      expect(() => fieldOf([0x78 | wireType, ...new Array(size - 1).fill(9)]).input.skip()).toThrow(
        refusal('ends in the middle of a field'),
      );
    }
    const { input } = fieldOf([0x7a, 2, 1, 1]);
    input.skip();
    expect(input.done).toBe(true);
    expect(() => fieldOf([0x7a, 3, 1, 1]).input.skip()).toThrow(refusal('ends in the middle of a field'));
  });

  it('refuses a known field in a foreign wire type', () => {
    expect(() => fieldOf([0x0a, 0]).input.uint()).toThrow(refusal('field of a foreign wire type'));
    expect(() => fieldOf([0x08, 0]).input.bytes(9)).toThrow(refusal('field of a foreign wire type'));
  });

  it('hands out views, and nothing that reaches out of the nested message', () => {
    const bytes = Uint8Array.from([0x0a, 3, 0x12, 2, 7, 7, 7]);
    const input = new Reader(bytes, 'test');
    input.field();
    input.enter();
    input.field();
    expect(() => input.bytes(9)).toThrow(refusal('ends in the middle of a field'));

    const { input: whole } = fieldOf([0x0a, 2, 5, 6]);
    expect(whole.bytes(2)).toEqual(Uint8Array.of(5, 6));
    expect(() => fieldOf([0x0a, 2, 5, 6]).input.bytes(1)).toThrow(refusal('field larger than 1 bytes'));
  });

  it('refuses ill-formed UTF-8 and keeps a byte order mark', () => {
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]])
      expect(() => fieldOf([0x0a, bad.length, ...bad]).input.text(9)).toThrow(refusal('text is not UTF-8'));
    expect(fieldOf([0x0a, 4, 0xef, 0xbb, 0xbf, 0x61]).input.text(9)).toBe('\ufeffa');
  });
});

describe('Writer', () => {
  it('grows, nests and measures as it must, whatever the size hint', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 600 }), fc.nat(64), (text, bytes, hint) => {
        const writer = new Writer(hint);
        writer.message(3, () => writer.text(1, text).message(2, () => writer.bytes(1, bytes))).uint(4, 7);
        const input = new Reader(writer.finishAs(9), 'test');
        expect(input.field()).toBe(9);
        const frame = input.enter();
        expect(input.field()).toBe(3);
        const outer = input.enter();
        let read = '';
        if (text) {
          input.field();
          read = input.text(10_000);
        }
        expect(read).toBe(text);
        expect(input.field()).toBe(2);
        const inner = input.enter();
        if (bytes.length > 0) {
          input.field();
          expect(input.bytes(600)).toEqual(bytes);
        }
        input.leave(inner);
        input.leave(outer);
        expect([input.field(), input.uint()]).toEqual([4, 7]);
        input.leave(frame);
        expect(input.done).toBe(true);
      }),
    );
  });

  it('writes what it writes alone when others write at the same time, into the same slab', () => {
    type Step = (writer: Writer) => Writer;
    const steps = fc.array(
      fc.oneof(
        fc.tuple(fc.nat(5), fc.nat(), fc.string({ unit: 'binary', maxLength: 70 })).map(
          ([field, number, text]): Step =>
            (writer) =>
              writer.uint(field + 1, number).text(field + 1, text),
        ),
        fc.tuple(fc.nat(5), fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 40 })).map(
          ([field, bytes, numbers]): Step =>
            (writer) => {
              for (const number of numbers) writer.message(field + 1, () => writer.uint(2, number));
              return writer.element(1, bytes).head(3, bytes.length);
            },
        ),
      ),
      { maxLength: 6 },
    );
    const one = fc.record({ steps, hint: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(one, { minLength: 2, maxLength: 4 }), (all) => {
        const alone = all.map(({ steps, hint }) => {
          const writer = new Writer(hint);
          for (const step of steps) step(writer);
          return Uint8Array.from(writer.finishAs(1));
        });
        const writers = all.map(({ hint }) => new Writer(hint));
        for (let i = 0; i < 6; i++) for (const [w, writer] of writers.entries()) all[w]!.steps[i]?.(writer);
        expect(writers.map((writer) => Uint8Array.from(writer.finishAs(1)))).toEqual(alone);
      }),
    );
  });

  it('refuses numbers that have no varint', () => {
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53])
      expect(() => new Writer().uint(1, bad)).toThrow(expect.objectContaining({ code: 'bad-number' }));
  });
});
