import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonError, parseStrictJson } from './strict-json.ts';

const parse = (text: string) => parseStrictJson(new TextEncoder().encode(text));

describe('H09: JSON from strangers', () => {
  it.each([
    ['depth 10 000', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['depth 17', '['.repeat(17) + ']'.repeat(17)],
    ['__proto__', '{"__proto__":{"admin":true}}'],
    ['__proto__ in disguise', '{"\\u005f_proto__":{}}'],
    ['constructor', '{"a":[{"constructor":1}]}'],
    ['duplicate names', '{"a":1,"b":2,"a":3}'],
    ['duplicate names, escaped', '{"a":1,"\\u0061":2}'],
    ['duplicate names after a nested object', '{"a":{"x":[1,{"y":2}]},"a":3}'],
    ['a number beyond a double', '{"a":1e309}'],
    ['half a surrogate pair', '{"a":"\\ud800"}'],
    ['half a surrogate pair in a name', '{"\\udc00":1}'],
    ['not JSON', '{a:1}'],
    ['nothing', ''],
    ['two values', '1 2'],
  ])('%s → refused', (_, text) => {
    expect(() => parse(text)).toThrow(JsonError);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(JsonError);
  });

  it('accepts depth 16, the same name in sibling objects, whole surrogate pairs, 1e308', () => {
    expect(parse('['.repeat(16) + ']'.repeat(16))).toBeInstanceOf(Array);
    expect(parse('[{"a":1},{"a":2},"\\ud83d\\ude00",1e308,"a\\"{[,:"]')).toEqual([
      { a: 1 },
      { a: 2 },
      '😀',
      1e308,
      'a"{[,:',
    ]);
  });

  it('agrees with JSON.parse on everything it accepts, and throws nothing but JsonError', () => {
    const unproblematic = fc.jsonValue({ maxDepth: 5 });
    fc.assert(
      fc.property(unproblematic, (value) => {
        const text = JSON.stringify(value);
        try {
          expect(JSON.stringify(parse(text))).toBe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError);
          expect(text).toMatch(/__proto__|constructor|prototype|\\u[dD]/);
        }
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          parseStrictJson(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError);
        }
      }),
    );
  });
});
