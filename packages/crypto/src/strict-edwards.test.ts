import { describe, expect, it } from '@jest/globals';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';

describe.each([nobleCrypto(), nodeCrypto()])('$name', ({ ed25519, ed25519ctx, ed448 }) => {
  it.each([ed25519, ed25519ctx, ed448])(
    'leaves a key and a signature as they are, Node Buffers too, whose slice is a view',
    (scheme) => {
      // About half of all keys have the sign bit set, which the check looks past.
      for (let i = 0; i < 8; i++) {
        const seed = new Uint8Array(scheme.seedLength).fill(i + 1);
        const publicKey = Buffer.from(scheme.publicKey(seed));
        const signature = Buffer.from(scheme.sign(seed, seed));
        const before = [publicKey.toString('hex'), signature.toString('hex')];
        scheme.verify(publicKey, seed, signature);
        scheme.isValidPublicKey(publicKey);
        expect([publicKey.toString('hex'), signature.toString('hex')]).toEqual(before);
      }
    },
  );
});
