import { describe, expect, it } from '@jest/globals';
import { md5 } from './md5.ts';

describe('MD5', () => {
  // RFC 1321, appendix A.5.
  it.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      '57edf4a22be3c955ac49da2e2107b67a',
    ],
  ])('of "%s"', (text, digest) => {
    expect(Buffer.from(md5(Buffer.from(text))).toString('hex')).toBe(digest);
  });
});
