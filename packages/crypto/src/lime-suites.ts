/** The suites of LIME, put together from a provider's parts (lime-protocol sections 2 and 13). */

import { ed448 } from '@noble/curves/ed448.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { shake256 } from '@noble/hashes/sha3.js';
import { requireLength } from './lengths.ts';
import { CryptoError, type CryptoProvider, type Kem, type LimeSuite, type SuiteName } from './port.ts';
import { ED448_ENCODING, ED25519_ENCODING, type EdwardsEncoding, isStrictPointEncoding } from './strict-edwards.ts';

type Parts = Pick<CryptoProvider, 'x25519' | 'x448' | 'ed25519ctx' | 'ed448' | 'mlKem512' | 'mlKem1024'>;

/** What two suites on one curve share. */
type OnCurve = Omit<LimeSuite, 'name' | 'id' | 'kem' | 'prekeyLength' | 'isValidPrekey'>;

/** The conversions of section 2.1 are noble's in every provider: node:crypto has none. */
export function limeSuites(parts: Parts): Readonly<Record<SuiteName, LimeSuite>> {
  const c25519 = withConversions(
    { curve: 'c25519', dh: parts.x25519, signatures: parts.ed25519ctx },
    ED25519_ENCODING,
    (seed) => sha512(seed).slice(0, 32),
    (publicKey) => ed25519.utils.toMontgomery(publicKey),
  );
  const c448 = withConversions(
    { curve: 'c448', dh: parts.x448, signatures: parts.ed448 },
    ED448_ENCODING,
    (seed) => shake256(seed, { dkLen: 56 }),
    (publicKey) => ed448.utils.toMontgomery(publicKey),
  );
  return {
    c25519: suite('c25519', 1, c25519, undefined),
    c448: suite('c448', 2, c448, undefined),
    c25519mlk512: suite('c25519mlk512', 4, c25519, parts.mlKem512),
    c448mlk1024: suite('c448mlk1024', 5, c448, parts.mlKem1024),
  };
}

function suite(name: SuiteName, id: LimeSuite['id'], onCurve: OnCurve, kem: Kem | undefined): LimeSuite {
  const { dh } = onCurve;
  const prekeyLength = dh.keyLength + (kem?.publicKeyLength ?? 0);
  return {
    ...onCurve,
    name,
    id,
    kem,
    prekeyLength,
    isValidPrekey(publicKey) {
      if (publicKey.length !== prekeyLength || !dh.isValidPublicKey(publicKey.subarray(0, dh.keyLength))) return false;
      return kem?.isValidPublicKey(publicKey.subarray(dh.keyLength)) ?? true;
    },
  };
}

/** The private scalar is left unclamped, as liblime stores it; the ladder clamps. */
function withConversions(
  curve: Pick<LimeSuite, 'curve' | 'dh' | 'signatures'>,
  encoding: EdwardsEncoding,
  toScalar: (seed: Uint8Array) => Uint8Array,
  toMontgomery: (publicKey: Uint8Array) => Uint8Array,
): OnCurve {
  return {
    ...curve,
    identityToDhPrivate(seed) {
      requireLength('identity seed', seed, curve.signatures.seedLength);
      return toScalar(seed);
    },
    // Not `isValidPublicKey`, which costs more than a Diffie-Hellman: it is asked where keys come in,
    // and a clamped scalar takes away what a part of small order could add.
    identityToDhPublic(publicKey) {
      if (!isStrictPointEncoding(encoding, publicKey)) throw noPoint();
      try {
        return toMontgomery(publicKey);
      } catch {
        throw noPoint();
      }
    },
  };
}

function noPoint(): CryptoError {
  return new CryptoError('bad-key', 'the identity key is no valid point of its curve');
}
