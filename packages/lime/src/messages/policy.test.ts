/** Where the policies switch from the direct form to the seed form (lime-protocol section 8.3). */
import { expect, it } from '@jest/globals';
import { isDirect } from './policy.ts';

it('one recipient is always direct under the optimizing policies', () => {
  for (const length of [0, 48, 1024, 100_000]) {
    expect(isDirect('optimizeUploadSize', length, 1)).toBe(true);
    expect(isDirect('optimizeGlobalBandwidth', length, 1)).toBe(true);
  }
});

it('two recipients: above 80 bytes for the upload, above 176 for the whole network', () => {
  expect([80, 81].map((length) => isDirect('optimizeUploadSize', length, 2))).toEqual([true, false]);
  expect([176, 177].map((length) => isDirect('optimizeGlobalBandwidth', length, 2))).toEqual([true, false]);
});

it('the others do not look', () => {
  expect(isDirect('DRMessage', 1_000_000, 1000)).toBe(true);
  expect(isDirect('cipherMessage', 0, 1)).toBe(false);
});
