import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeBase64url, encodeBase64url } from './base64url.ts';

fc.configureGlobal({ seed: 0x5ea1 });

describe('base64url', () => {
  it('encodes like Node and decodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = encodeBase64url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(decodeBase64url(text)).toEqual(bytes);
      }),
    );
  });

  it('has one text for each byte string: what it decodes it encodes to the same text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{0,12}$/), (text) => {
        let bytes: Uint8Array;
        try {
          bytes = decodeBase64url(text);
        } catch (error) {
          expect(error).toMatchObject({ name: 'WireError', code: 'bad-base64url' });
          return;
        }
        expect(encodeBase64url(bytes)).toBe(text);
      }),
    );
  });

  it.each(['A', 'AAAAA', 'AB', 'AAB', 'AA==', 'A+AA', 'A/AA', 'AA A', 'AAA\n', 'AAAé', 'AAA\u0141'])(
    'refuses %j',
    (text) => {
      expect(() => decodeBase64url(text)).toThrow(
        expect.objectContaining({ name: 'WireError', code: 'bad-base64url' }),
      );
    },
  );
});
