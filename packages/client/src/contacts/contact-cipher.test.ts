import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import type { ContactList } from '@sealwire/wire/contacts';
import type { AccountAddress } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { allowedSaltOf, contactsKeyOf, openList, sealList } from './contact-cipher.ts';

const crypto = nodeCrypto();
const random = seededRandom('contacts');
const key = random(32);
const address = 'sip:alice@example.org' as AccountAddress;
const place = { address, version: 7 };

function listOf(count: number, note = ''): ContactList {
  const entries = Array.from({ length: count }, (_, n) => ({
    address: `sip:n${n}@example.org` as AccountAddress,
    state: 'contact' as const,
    name: `name ${n}`,
    note,
    at: n + 1,
  }));
  return { policy: 'requests', policyAt: 5, entries, verdicts: [], timers: [] };
}
const seal = (list: ContactList) => sealList({ crypto, random }, key, place, list);

describe('a contact list on its way to the server', () => {
  it('is what it was, for the devices of the account and of that version only', () => {
    const sealed = seal(listOf(3));
    expect(openList(crypto, key, place, sealed)).toEqual(listOf(3));
    for (const [other, otherPlace] of [
      [random(32), place],
      [key, { ...place, version: 8 }],
      [key, { ...place, address: 'sip:bob@example.org' as AccountAddress }],
    ] as const)
      expect(() => openList(crypto, other, otherPlace, sealed)).toThrow();
    for (const at of [0, 12, sealed.length - 1]) {
      const changed = sealed.slice();
      changed[at]! ^= 1;
      expect(() => openList(crypto, key, place, changed)).toThrow();
    }
    expect(() => openList(crypto, key, place, sealed.slice(0, 20))).toThrow();
  });

  it('says little by its length, and nothing twice', () => {
    const lengths = new Set(Array.from({ length: 40 }, (_, n) => seal(listOf(n)).length));
    expect([...lengths]).toEqual([1_024 + 28, 2_048 + 28]);
    expect(seal(listOf(1))).not.toEqual(seal(listOf(1)));
  });

  it('has room for a thousand contacts, and for no more than the server takes', () => {
    expect(seal(listOf(1_000)).length).toBe(LIMITS.contactListBytes.value);
    expect(() => seal(listOf(1_000, 'x'.repeat(20)))).toThrow('the contact list is full');
  });
});

it('key and salt are the account’s: each account has others, and a device that was let in the ones it was given', () => {
  const seed = random(32);
  const of = (accountSeed: Uint8Array) => contactsKeyOf({ accountSeed }, crypto)!;
  expect(of(seed)).toEqual(of(seed.slice()));
  expect(of(seed)).not.toEqual(of(random(32)));
  expect(of(seed)).not.toEqual(seed);
  expect(contactsKeyOf({ accountSeed: undefined, contactsKey: key }, crypto)).toEqual(key);
  expect(contactsKeyOf({ accountSeed: undefined }, crypto)).toBeUndefined();
  expect(allowedSaltOf(key, crypto)).toHaveLength(16);
  expect(allowedSaltOf(key, crypto)).not.toEqual(key.slice(0, 16));
});
