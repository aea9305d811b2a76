import { describe, expect, it } from '@jest/globals';
import { allocate } from './slab.ts';

describe('allocate', () => {
  it('gives zero bytes of the length asked for, small and large', () => {
    for (const length of [0, 1, 63, 1_024, 1_025, 100_000]) expect(allocate(length)).toEqual(new Uint8Array(length));
  });

  it('never gives a byte to two, over many slabs', () => {
    const pieces = Array.from({ length: 1_000 }, (_, i) => allocate(1 + (i % 200)).fill(i & 0xff));
    for (const [i, piece] of pieces.entries()) expect(piece.every((byte) => byte === (i & 0xff))).toBe(true);
  });
});
