import { scryptSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { keyOfPassphrase, SCRYPT_COST } from './passphrase.ts';

const salt = new TextEncoder().encode('SodiumChloride');

describe('a key of a passphrase', () => {
  it.each([10, 14])('is what node:crypto derives by scrypt, at cost %i', async (cost) => {
    const expected = scryptSync('pleaseletmein', salt, 32, { N: 2 ** cost, r: 8, p: 1, maxmem: 2 ** 28 });
    expect(Buffer.from(await keyOfPassphrase('pleaseletmein', salt, cost))).toEqual(expected);
  });

  it('begins as the answer of RFC 7914 section 12', async () => {
    const key = await keyOfPassphrase('pleaseletmein', salt, 14);
    expect(Buffer.from(key).toString('hex')).toBe('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2');
  });

  it('is the same however the passphrase was composed', async () => {
    expect(await keyOfPassphrase('é', salt, 10)).toEqual(await keyOfPassphrase('e\u0301', salt, 10));
  });

  it('runs at the cost that is written', async () => {
    expect(await keyOfPassphrase('x', salt, SCRYPT_COST)).toHaveLength(32);
  });
});
