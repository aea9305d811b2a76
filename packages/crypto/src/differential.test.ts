/** The two providers on the same random inputs: same bytes, same answers. Noble is slow, so the runs are few and seeded. */
import { describe, expect, it } from '@jest/globals';
import { ED448_TORSION_SUBGROUP, ed448 } from '@noble/curves/ed448.js';
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';
import type { CryptoProvider } from './port.ts';

const SEED = 0x5ea1;
const SLOW = { seed: SEED, numRuns: 12 };
const FAST = { seed: SEED, numRuns: 100 };

const noble = nobleCrypto();
const node = nodeCrypto();

const array = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });
const anyBytes = array(0, 300);

/** Result or error code of the same operation in both providers. */
function bothAgree(operation: (crypto: CryptoProvider) => unknown): void {
  expect(outcome(() => operation(node))).toEqual(outcome(() => operation(noble)));
}

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('noble and node agree', () => {
  it.each(['mlKem512', 'mlKem1024'] as const)(
    'on %s, for honest and arbitrary ciphertexts, and wrong lengths',
    (name) => {
      const { seedLength, entropyLength, ciphertextLength } = noble[name];
      fc.assert(
        fc.property(
          array(seedLength),
          array(entropyLength),
          array(ciphertextLength),
          anyBytes,
          (seed, entropy, other, wrong) => {
            bothAgree((crypto) => crypto[name].publicKey(seed));
            const publicKey = node[name].publicKey(seed);
            bothAgree((crypto) => crypto[name].encapsulate(publicKey, entropy));
            const { ciphertext, sharedSecret } = node[name].encapsulate(publicKey, entropy);
            expect(node[name].decapsulate(seed, ciphertext)).toEqual(sharedSecret);
            bothAgree((crypto) => crypto[name].decapsulate(seed, ciphertext));
            bothAgree((crypto) => crypto[name].decapsulate(seed, other));
            bothAgree((crypto) => crypto[name].decapsulate(wrong, ciphertext));
            bothAgree((crypto) => crypto[name].decapsulate(seed, wrong));
            bothAgree((crypto) => crypto[name].publicKey(wrong));
          },
        ),
        SLOW,
      );
    },
  );

  it.each(['x25519', 'x448'] as const)('on %s, for arbitrary public keys', (name) => {
    const { keyLength } = noble[name];
    fc.assert(
      fc.property(array(keyLength), array(keyLength), (privateKey, publicKey) => {
        bothAgree((crypto) => crypto[name].publicKey(privateKey));
        bothAgree((crypto) => crypto[name].sharedSecret(privateKey, publicKey));
        bothAgree((crypto) => crypto[name].isValidPublicKey(publicKey));
      }),
      SLOW,
    );
  });

  it.each(['ed25519', 'ed25519ctx', 'ed448'] as const)('on %s, for honest and damaged signatures', (name) => {
    const { seedLength, signatureLength } = noble[name];
    const damage = fc.record({ at: fc.nat(signatureLength - 1), bits: fc.integer({ min: 1, max: 255 }) });
    fc.assert(
      fc.property(array(seedLength), anyBytes, damage, (seed, message, { at, bits }) => {
        bothAgree((crypto) => crypto[name].publicKey(seed));
        bothAgree((crypto) => crypto[name].sign(seed, message));
        const publicKey = node[name].publicKey(seed);
        const signature = node[name].sign(seed, message);
        const damaged = signature.map((byte, i) => (i === at ? byte ^ bits : byte));
        expect([noble, node].map((crypto) => crypto[name].verify(publicKey, message, signature))).toEqual([true, true]);
        expect([noble, node].map((crypto) => crypto[name].verify(publicKey, message, damaged))).toEqual([false, false]);
      }),
      SLOW,
    );
  });

  it.each(['ed25519', 'ed25519ctx', 'ed448'] as const)('on %s, for keys with a part of small order', (name) => {
    const { Point } = name === 'ed448' ? ed448 : ed25519;
    const torsion = name === 'ed448' ? ED448_TORSION_SUBGROUP : ED25519_TORSION_SUBGROUP;
    const { seedLength } = noble[name];
    fc.assert(
      fc.property(array(seedLength), anyBytes, fc.constantFrom(...torsion), (seed, message, part) => {
        const publicKey = Point.fromBytes(noble[name].publicKey(seed)).add(Point.fromHex(part)).toBytes();
        const signature = node[name].sign(seed, message);
        bothAgree((crypto) => crypto[name].isValidPublicKey(publicKey));
        bothAgree((crypto) => crypto[name].verify(publicKey, message, signature));
      }),
      SLOW,
    );
  });

  it.each(['ed25519', 'ed448'] as const)('on %s, for arbitrary public keys and signatures', (name) => {
    const { publicKeyLength, signatureLength } = noble[name];
    fc.assert(
      fc.property(array(publicKeyLength), anyBytes, array(signatureLength), (publicKey, message, signature) => {
        bothAgree((crypto) => crypto[name].verify(publicKey, message, signature));
        bothAgree((crypto) => crypto[name].isValidPublicKey(publicKey));
      }),
      SLOW,
    );
  });

  it.each(['aes256gcm', 'chacha20poly1305'] as const)('on %s, for any nonce length and any sealed bytes', (name) => {
    fc.assert(
      fc.property(array(32), array(0, 17), anyBytes, anyBytes, (key, nonce, data, associatedData) => {
        bothAgree((crypto) => crypto[name].seal(key, nonce, data, associatedData));
        bothAgree((crypto) => crypto[name].open(key, nonce, data, associatedData));
      }),
      FAST,
    );
  });

  it.each([
    ['aes256gcm', 12],
    ['aes256gcm', 16],
    ['chacha20poly1305', 12],
  ] as const)('on %s with a nonce of %i bytes: one opens what the other sealed', (name, nonceLength) => {
    fc.assert(
      fc.property(array(32), array(nonceLength), anyBytes, anyBytes, (key, nonce, plaintext, associatedData) => {
        const sealed = noble[name].seal(key, nonce, plaintext, associatedData);
        expect(node[name].open(key, nonce, sealed, associatedData)).toEqual(plaintext);
        expect(node[name].seal(key, nonce, plaintext, associatedData)).toEqual(sealed);
        expect(noble[name].open(key, nonce, sealed, associatedData)).toEqual(plaintext);
      }),
      FAST,
    );
  });

  it('on hashes, HMAC, HKDF and equality', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, anyBytes, fc.nat(400), (a, b, c, length) => {
        bothAgree((crypto) => crypto.sha256(a));
        bothAgree((crypto) => crypto.sha512(a));
        bothAgree((crypto) => crypto.hmacSha384(a, b));
        bothAgree((crypto) => {
          const stream = crypto.sha256Stream();
          stream.update(a);
          stream.update(b);
          return stream.digest();
        });
        bothAgree((crypto) => crypto.hmacSha512(a, b));
        bothAgree((crypto) => crypto.hkdfSha512(a, b, c, length));
        bothAgree((crypto) => crypto.equal(a, b));
      }),
      FAST,
    );
  });

  it('on wrong lengths of keys and seeds', () => {
    fc.assert(
      fc.property(array(0, 60), (key) => {
        for (const name of ['x25519', 'x448'] as const) {
          fc.pre(key.length !== noble[name].keyLength);
          bothAgree((crypto) => crypto[name].publicKey(key));
          bothAgree((crypto) => crypto[name].sharedSecret(key, key));
        }
        for (const name of ['ed25519', 'ed25519ctx', 'ed448'] as const) {
          fc.pre(key.length !== noble[name].seedLength);
          bothAgree((crypto) => crypto[name].publicKey(key));
          bothAgree((crypto) => crypto[name].sign(key, key));
        }
      }),
      FAST,
    );
  });

  it('and both give plain arrays that own their memory', () => {
    const key = new Uint8Array(32).fill(3);
    const nonce = new Uint8Array(12);
    for (const crypto of [noble, node]) {
      const sealed = crypto.aes256gcm.seal(key, nonce, key, key);
      const outputs = [
        crypto.sha256(key),
        crypto.hmacSha512(key, key),
        crypto.hkdfSha512(key, key, key, 40),
        crypto.x25519.publicKey(key),
        crypto.x25519.sharedSecret(key, crypto.x25519.publicKey(key)),
        crypto.ed25519.sign(key, key),
        sealed,
        crypto.aes256gcm.open(key, nonce, sealed, key),
      ];
      for (const output of outputs) {
        expect(output.constructor.name).toBe('Uint8Array');
        expect(output.byteLength).toBe(output.buffer.byteLength);
      }
    }
  });
});
