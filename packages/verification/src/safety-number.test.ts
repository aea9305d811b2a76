/** No two people are confused: neither by their keys, nor by where an address ends and another one begins. */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { type AccountAddress, parseAccountAddress } from '@sealwire/wire/ids';
import { personFingerprint, safetyNumber } from './safety-number.ts';

const crypto = nodeCrypto();
const random = seededRandom('safety numbers');
const fingerprint = (address: string, accountKey: Uint8Array) =>
  personFingerprint(crypto, { address: parseAccountAddress(address), accountKey });
const [key, otherKey] = [random(32), random(32)];

it('has 60 digits', () => {
  const number = safetyNumber(fingerprint('sip:alice@example.org', key), fingerprint('sip:bob@example.org', otherKey));
  expect(number).toMatch(/^\d{60}$/);
});

describe('T166: no two pairs are confused', () => {
  it('people who differ in key, name, domain, or in where one ends and the other begins', () => {
    const people = [
      ...['a@bc', 'ab@c', 'a@b', 'alice@example.org', 'alice@example.net'].map((name) => [`sip:${name}`, key] as const),
      ['sip:alice@example.org', otherKey] as const,
      ...Array.from({ length: 32 }, (_, bit) => {
        const flipped = key.slice();
        flipped[bit]! ^= 1 << (bit % 8);
        return ['sip:alice@example.org', flipped] as const;
      }),
    ].map(([address, accountKey]) => fingerprint(address, accountKey));
    const bob = fingerprint('sip:bob@example.org', otherKey);
    expect(new Set(people.map((person) => safetyNumber(person, bob))).size).toBe(people.length);
  });

  it('keys that were exchanged between the two', () => {
    const right = safetyNumber(fingerprint('sip:a@b', key), fingerprint('sip:c@d', otherKey));
    expect(safetyNumber(fingerprint('sip:a@b', otherKey), fingerprint('sip:c@d', key))).not.toBe(right);
  });

  it('an address is no part of a key: a key of another length is refused', () => {
    const person = { address: 'sip:a@b' as AccountAddress, accountKey: key.subarray(1) };
    expect(() => personFingerprint(crypto, person)).toThrow(RangeError);
  });
});
