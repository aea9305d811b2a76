/** The two curves of LIME, put together from a provider's parts (lime-protocol section 2). */

import { ed448 } from '@noble/curves/ed448.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { shake256 } from '@noble/hashes/sha3.js';
import { requireLength } from './lengths.ts';
import { CryptoError, type CryptoProvider, type LimeSuite, type SuiteName } from './port.ts';

type Parts = Pick<CryptoProvider, 'x25519' | 'x448' | 'ed25519ctx' | 'ed448'>;

/** The conversions of section 2.1 are noble's in every provider: node:crypto has none. */
export function limeSuites(parts: Parts): Readonly<Record<SuiteName, LimeSuite>> {
  return {
    c25519: withConversions(
      { name: 'c25519', id: 1, dh: parts.x25519, signatures: parts.ed25519ctx },
      (seed) => sha512(seed).slice(0, 32),
      (publicKey) => ed25519.utils.toMontgomery(publicKey),
    ),
    c448: withConversions(
      { name: 'c448', id: 2, dh: parts.x448, signatures: parts.ed448 },
      (seed) => shake256(seed, { dkLen: 56 }),
      (publicKey) => ed448.utils.toMontgomery(publicKey),
    ),
  };
}

/** The private scalar is left unclamped, as liblime stores it; the ladder clamps. */
function withConversions(
  curve: Pick<LimeSuite, 'name' | 'id' | 'dh' | 'signatures'>,
  toScalar: (seed: Uint8Array) => Uint8Array,
  toMontgomery: (publicKey: Uint8Array) => Uint8Array,
): LimeSuite {
  return {
    ...curve,
    identityToDhPrivate(seed) {
      requireLength('identity seed', seed, curve.signatures.seedLength);
      return toScalar(seed);
    },
    identityToDhPublic(publicKey) {
      if (!curve.signatures.isValidPublicKey(publicKey)) {
        throw new CryptoError('bad-key', 'the identity key is no valid point of its curve');
      }
      return toMontgomery(publicKey);
    },
  };
}
