import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordReader, RecordWriter } from './record.ts';

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
    const whole = new RecordWriter()
      .number(1)
      .bytes(Uint8Array.of(1, 2, 3))
      .finish();
    for (let length = 0; length < whole.length; length++) {
      const reader = new RecordReader(whole.subarray(0, length));
      expect(() => [reader.number(), reader.bytes()]).toThrow(expect.objectContaining({ kind: 'corrupt' }));
    }
    const reader = new RecordReader(Buffer.concat([whole, Buffer.of(0)]));
    reader.number();
    reader.bytes();
    expect(() => reader.end()).toThrow(expect.objectContaining({ kind: 'corrupt' }));
  });
});
