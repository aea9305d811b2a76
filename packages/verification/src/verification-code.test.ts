/** What two devices make of each other's codes, honest and not. */
import { describe, expect, it } from '@jest/globals';
import { nodeCrypto } from '@sealwire/crypto/node';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import fc from 'fast-check';
import {
  compareCodes,
  formatVerificationCode,
  type KnownPerson,
  parseVerificationCode,
  type VerificationCode,
} from './verification-code.ts';

const crypto = nodeCrypto();
const random = seededRandom('codes');
const person = (version: number): KnownPerson => ({ fingerprint: random(32), version, list: random(16) });
const alice = person(3);
const bob = person(7);
const ofAlice: VerificationCode = { self: alice, peer: bob };
const compare = (scanned: VerificationCode) => compareCodes(crypto, ofAlice, scanned);

it('goes through the text that a camera reads', () => {
  const text = formatVerificationCode(ofAlice);
  expect(text).toMatch(/^sealwire-verify-1:[\w-]{139}$/);
  expect(parseVerificationCode(` ${text}\n`)).toEqual(ofAlice);
  for (const bad of ['', 'sealwire-link-1:AAAA', text.slice(0, -1), `${text}AA`, `${text}!`])
    expect(() => parseVerificationCode(bad)).toThrow(expect.objectContaining({ code: 'bad-verification-code' }));
});

it('any text is read, or refused with the one code', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.base64String().map((text) => `sealwire-verify-1:${text}`),
      ),
      (text) => {
        try {
          parseVerificationCode(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-verification-code' });
        }
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

describe('T167: a code is compared in keys and lists', () => {
  it('same: each is to the other whom it takes itself for', () => {
    expect(compare({ self: bob, peer: alice })).toBe('same');
  });

  it('other-keys: a key between the two, the codes of another pair, or our own code', () => {
    const forged = random(32);
    expect(compare({ self: { ...bob, fingerprint: forged }, peer: alice })).toBe('other-keys');
    expect(compare({ self: bob, peer: { ...alice, fingerprint: forged } })).toBe('other-keys');
    expect(compare(ofAlice)).toBe('other-keys');
  });

  it('forked-list: two lists of one version, of either of them', () => {
    expect(compare({ self: { ...bob, list: random(16) }, peer: alice })).toBe('forked-list');
    expect(compare({ self: bob, peer: { ...alice, list: random(16) } })).toBe('forked-list');
  });

  it('hidden-list: there is a newer one than the server shows here', () => {
    expect(compare({ self: { ...bob, version: 8 }, peer: alice })).toBe('hidden-list');
    expect(compare({ self: bob, peer: { ...alice, version: 4 } })).toBe('hidden-list');
  });

  it('old-list: the other has not seen our newest one; an older one of their own hides nothing', () => {
    expect(compare({ self: bob, peer: { ...alice, version: 2, list: random(16) } })).toBe('old-list');
    expect(compare({ self: { ...bob, version: 6, list: random(16) }, peer: alice })).toBe('same');
  });
});
