import { expect, it } from '@jest/globals';
import { backOff } from './back-off.ts';

const lowest = () => new Uint8Array(2);
const highest = () => new Uint8Array(2).fill(255);

it('L01: full jitter, from nothing to a ceiling that doubles', () => {
  const failures = [0, 1, 2, 4, 23, 24, 25, 26, 1_000];
  expect(failures.map((count) => backOff(count, lowest))).toEqual(failures.map(() => 0));
  expect(failures.map((count) => backOff(count, highest))).toEqual([
    499, 999, 1_999, 7_999, 7_999, 15_999, 31_999, 59_999, 59_999,
  ]);
});

it('A01: in the first minute of an outage nobody waits longer than eight seconds', () => {
  let waited = 0;
  for (let failures = 0; waited < 60_000; failures++) {
    const wait = backOff(failures, highest);
    expect(wait).toBeLessThan(8_000);
    waited += wait;
  }
});

it('L02: what the server asks for comes on top', () => {
  expect(backOff(0, lowest, 30_000)).toBe(30_000);
  expect(backOff(0, highest, 30_000)).toBe(30_499);
});

it('L02: a server that asks for longer than a day gets a day: it silences nobody for good, and overflows no timer', () => {
  expect(backOff(0, lowest, 2 ** 50)).toBe(24 * 60 * 60_000);
});
