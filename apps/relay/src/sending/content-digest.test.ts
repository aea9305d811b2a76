import { describe, expect, it } from '@jest/globals';
import { contentDigest } from './content-digest.ts';

const hex = (frame: Uint8Array) => Buffer.from(contentDigest(frame)).toString('hex');

describe('contentDigest', () => {
  const frame = new Uint8Array(1_200).map((_, i) => (i * 31) & 0xff);

  it('is the same for the same bytes, wherever they lie', () => {
    const elsewhere = new Uint8Array(1_300);
    elsewhere.set(frame, 50);
    expect(contentDigest(elsewhere.subarray(50, 1_250))).toEqual(contentDigest(frame));
  });

  it('A11: differs for every flipped bit, a changed length, swapped halves', () => {
    const seen = new Set([hex(frame)]);
    const others = [
      frame.subarray(1),
      frame.subarray(0, -1),
      Buffer.concat([frame.subarray(600), frame.subarray(0, 600)]),
    ];
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = frame.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      others.push(flipped);
    }
    for (const other of others) seen.add(hex(other));
    expect(seen.size).toBe(others.length + 1);
  });
});
