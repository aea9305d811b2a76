import { describe, expect, it } from '@jest/globals';
import { partsOf } from './parts.ts';

const MiB = 1 << 20;

describe('how a file is cut', () => {
  it.each([
    [1, 1, 1],
    [8 * MiB, 1, 8 * MiB],
    [8 * MiB + 1, 2, 1],
    [2_048 * MiB, 256, 8 * MiB],
    [8_000 * MiB, 1_000, 8 * MiB],
    [8_000 * MiB + 1, 889, 8 * MiB + 1],
    [2 ** 40, 1_000, 2 ** 40 - 999 * 1_049 * MiB],
  ])('%d bytes are %d parts, the last of %d', (bytes, count, last) => {
    const parts = partsOf(bytes);
    expect(parts.map(({ number }) => number)).toEqual(Array.from({ length: parts.length }, (_, i) => i + 1));
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
    expect(parts.every(({ offset, number }) => offset === (number - 1) * parts[0]!.bytes)).toBe(true);
    expect([parts.length, parts.at(-1)!.bytes]).toEqual([count, last]);
  });
});
