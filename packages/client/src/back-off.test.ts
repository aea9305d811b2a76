import { expect, it } from '@jest/globals';
import { backOff } from './back-off.ts';

const lowest = () => new Uint8Array(2);
const highest = () => new Uint8Array(2).fill(255);

it('L01: full jitter, from nothing to a ceiling that doubles up to a minute', () => {
  expect([0, 1, 2, 6, 7, 50].map((failures) => backOff(failures, lowest))).toEqual([0, 0, 0, 0, 0, 0]);
  expect([0, 1, 2, 6, 7, 50].map((failures) => backOff(failures, highest))).toEqual([
    499, 999, 1_999, 31_999, 59_999, 59_999,
  ]);
});

it('L02: what the server asks for comes on top', () => {
  expect(backOff(0, lowest, 30_000)).toBe(30_000);
  expect(backOff(0, highest, 30_000)).toBe(30_499);
});
