import { expect, it } from '@jest/globals';
import { isMailAddress } from './mail-address.ts';

it.each([
  ['alice@example.org', true],
  ["o'neil+tag@sub.example.co.uk", true],
  ['a@localhost', true],
  ['alice', false],
  ['@example.org', false],
  ['alice@', false],
  ['alice@@example.org', false],
  ['alice@example.org, bob@example.org', false],
  ['alice@example.org\r\nBcc: eve@example.org', false],
  ['"quoted"@example.org', false],
  ['alice@-example.org', false],
  [`${'a'.repeat(243)}@example.org`, false],
  ['älice@example.org', false],
])('%j as an address: %s', (address, good) => {
  expect(isMailAddress(address)).toBe(good);
});
