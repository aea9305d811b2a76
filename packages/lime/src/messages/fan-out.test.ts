/** What a call for many leaves behind besides its messages (lime-protocol section 8): the seed, faults that are nobody's keys'. */
import { describe, expect, it } from '@jest/globals';
import type { CryptoProvider } from '@sealwire/crypto/port';
import { seededRandom } from '@sealwire/crypto/testing/seeded-random';
import { bytes, crypto, World } from '../testing/world.ts';
import { sealCipherMessage } from './cipher-message.ts';

/** A provider that keeps hold of the very plaintexts that it was given. */
function keepingPlaintexts(): { readonly provider: CryptoProvider; readonly plaintexts: Uint8Array[] } {
  const plaintexts: Uint8Array[] = [];
  const { aes256gcm } = crypto;
  const seal: typeof aes256gcm.seal = (key, nonce, plaintext, associatedData) => {
    plaintexts.push(plaintext);
    return aes256gcm.seal(key, nonce, plaintext, associatedData);
  };
  return { provider: { ...crypto, aes256gcm: { ...aes256gcm, seal } }, plaintexts };
}

describe('the seed of a cipherMessage', () => {
  it('is wiped when the last recipient has it; one that the caller brought is the caller’s', () => {
    const { provider, plaintexts } = keepingPlaintexts();
    const world = new World({}, provider);
    const [alice, bob] = [world.person('alice'), world.person('bob')];
    alice.writeToAll([bob], 'hello', { policy: 'cipherMessage' });
    const [text, seed] = plaintexts;
    expect(text).toEqual(bytes('hello'));
    expect(seed).toEqual(new Uint8Array(32));
    const draft = { random: seededRandom(1), source: alice.device, recipientUser: bob.user, plaintext: bytes('hello') };
    const cipher = sealCipherMessage(provider, draft);
    const [letter] = alice.writeToAll([bob], 'hello', { cipher, recipientUser: bob.user });
    expect(cipher.seed.reveal()).not.toEqual(new Uint8Array(32));
    expect(bob.read(letter!)).toBe('hello');
  });

  it('is not made for nobody', () => {
    const { provider, plaintexts } = keepingPlaintexts();
    const alice = new World({}, provider).person('alice');
    const input = { recipients: [], recipientUser: 'x', plaintext: bytes('hello') };
    expect(alice.lime.encrypt(alice.device, { ...input, policy: 'cipherMessage' })).toEqual({
      recipients: [],
      cipherMessage: new Uint8Array(0),
    });
    expect(plaintexts).toEqual([]);
  });
});

it('a fault of the provider is thrown as it is, not taken for a fault of the recipient’s keys', () => {
  const { c25519 } = crypto.suites;
  let broken = false;
  const sharedSecret: typeof c25519.dh.sharedSecret = (privateKey, publicKey) => {
    if (broken) throw new RangeError('out of memory');
    return c25519.dh.sharedSecret(privateKey, publicKey);
  };
  const suites = { ...crypto.suites, c25519: { ...c25519, dh: { ...c25519.dh, sharedSecret } } };
  const world = new World({}, { ...crypto, suites });
  const [alice, bob] = [world.person('alice'), world.person('bob')];
  broken = true;
  expect(() => alice.write(bob, 'hello')).toThrow(RangeError);
});
