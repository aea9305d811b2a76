/** What only the node provider can get wrong: its caches of key objects. */
import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';

const noble = nobleCrypto();

describe('key objects of the node provider', () => {
  it('one array in every role at once stays one key per role', () => {
    const crypto = nodeCrypto();
    const bytes = new Uint8Array(32).fill(9);
    const message = new Uint8Array(5);
    for (let round = 0; round < 2; round++) {
      expect(crypto.x25519.publicKey(bytes)).toEqual(noble.x25519.publicKey(bytes));
      expect(crypto.x25519.sharedSecret(bytes, bytes)).toEqual(noble.x25519.sharedSecret(bytes, bytes));
      expect(crypto.ed25519.publicKey(bytes)).toEqual(noble.ed25519.publicKey(bytes));
      expect(crypto.ed25519.sign(bytes, message)).toEqual(noble.ed25519.sign(bytes, message));
      expect(crypto.ed25519.verify(bytes, message, new Uint8Array(64))).toBe(false);
    }
  });

  it('are kept by identity: another array with other bytes is another key, views of one buffer too', () => {
    const crypto = nodeCrypto();
    const buffer = Uint8Array.from({ length: 64 }, (_, i) => i);
    const peer = noble.x25519.publicKey(new Uint8Array(32).fill(1));
    for (const start of [0, 16, 32]) {
      const view = buffer.subarray(start, start + 32);
      expect(crypto.x25519.sharedSecret(view, peer)).toEqual(noble.x25519.sharedSecret(view.slice(), peer));
    }
  });

  it('a refused key is refused again', () => {
    const crypto = nodeCrypto();
    const privateKey = new Uint8Array(32).fill(9);
    const zero = new Uint8Array(32);
    for (let round = 0; round < 3; round++) {
      expect(() => crypto.x25519.sharedSecret(privateKey, zero)).toThrow(
        expect.objectContaining({ code: 'low-order' }),
      );
      expect(crypto.ed25519.verify(zero, privateKey, new Uint8Array(64))).toBe(false);
    }
  });

  it('S79: no error of a wrong length carries the key', () => {
    const crypto = nodeCrypto();
    const key = new Uint8Array(31).fill(0xa5);
    const run = () => crypto.x25519.publicKey(key);
    expect(run).toThrow('private key has 31 bytes; expected 32');
    expect(run).toThrow(expect.not.objectContaining({ cause: expect.anything() }));
  });
});
