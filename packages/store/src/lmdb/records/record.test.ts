import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordReader, RecordWriter, withCheck } from './record.ts';

describe('records', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true }),
        fc.uint8Array(),
        fc.string({ unit: 'grapheme' }),
        fc.array(fc.uint8Array()),
        (number, bytes, text, items) => {
          const writer = new RecordWriter().number(number).bytes(bytes).text(text);
          const reader = new RecordReader(writer.list(items, (item) => writer.bytes(item)).finish());
          expect(reader.number()).toBe(number);
          expect(reader.bytes()).toEqual(bytes);
          expect(reader.text()).toBe(text);
          expect(reader.list(() => reader.bytes())).toEqual(items);
          reader.end();
        },
      ),
      { seed: 7 },
    );
  });

  it('are corrupt when they end too early or too late', () => {
    const corrupt = expect.objectContaining({ kind: 'corrupt' });
    const whole = new RecordWriter()
      .number(1)
      .bytes(Uint8Array.of(1, 2, 3))
      .finish();
    const fields = whole.subarray(0, whole.length - 4);
    for (let length = 0; length < fields.length; length++) {
      expect(() => new RecordReader(whole.subarray(0, length))).toThrow(corrupt);
      expect(() => {
        const reader = new RecordReader(withCheck(fields.subarray(0, length)));
        return [reader.number(), reader.bytes()];
      }).toThrow(corrupt);
    }
    const reader = new RecordReader(withCheck(Buffer.concat([fields, Buffer.of(0)])));
    reader.number();
    reader.bytes();
    expect(() => reader.end()).toThrow(corrupt);
  });

  it('are corrupt when any byte of them is damaged', () => {
    const whole = new RecordWriter()
      .text('a name')
      .number(7)
      .bytes(Uint8Array.of(1, 2, 3))
      .finish();
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 0x04;
      expect(() => new RecordReader(damaged)).toThrow(expect.objectContaining({ kind: 'corrupt' }));
    }
  });
});
