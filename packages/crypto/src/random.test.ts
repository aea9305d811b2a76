/** The system's randomness and its absence (case S36). */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CryptoError, type RandomBytes } from './port.ts';
import { requireRandomness, systemRandom } from './random.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('systemRandom', () => {
  it.each([0, 1, 32, 65_536, 65_537, 200_000])('fills %i bytes, beyond the quota of one call too', (length) => {
    const bytes = systemRandom(length);
    expect(bytes).toHaveLength(length);
    // A stretch left at zero would show: 32 random bytes are all zero once in 2^256.
    const stretches = Array.from({ length: Math.floor(length / 32) }, (_, i) => bytes.subarray(32 * i, 32 * (i + 1)));
    expect(stretches.filter((stretch) => stretch.every((byte) => byte === 0))).toEqual([]);
  });

  it('gives a fresh array each time', () => {
    expect(systemRandom(32)).not.toEqual(systemRandom(32));
  });

  it.each([undefined, {}])('S36: refuses where getRandomValues is missing (%p)', (platform) => {
    jest.replaceProperty(globalThis, 'crypto', platform as typeof globalThis.crypto);
    expect(() => systemRandom(32)).toThrow(expect.objectContaining({ code: 'randomness-missing' }));
  });
});

describe('requireRandomness', () => {
  const repeating = Uint8Array.from({ length: 32 }, (_, i) => i);
  const broken: readonly (readonly [string, RandomBytes])[] = [
    ['zeros', (length) => new Uint8Array(length)],
    ['one byte over and over', (length) => new Uint8Array(length).fill(4)],
    ['the same answer twice', () => repeating],
    ['a short read', (length) => systemRandom(length - 1)],
    ['nothing', () => new Uint8Array()],
  ];

  it('S36: passes the real source', () => {
    expect(() => requireRandomness(systemRandom)).not.toThrow();
  });

  it.each(broken)('S36: refuses %s', (_, source) => {
    expect(() => requireRandomness(source)).toThrow(CryptoError);
  });

  it('S36: passes on the refusal of a missing source', () => {
    jest.replaceProperty(globalThis, 'crypto', undefined as unknown as typeof globalThis.crypto);
    expect(() => requireRandomness(systemRandom)).toThrow(expect.objectContaining({ code: 'randomness-missing' }));
  });
});
