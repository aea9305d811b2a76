/** KEM keys of the hybrid suites: the second half of prekeys and ratchet keys (docs/spec/lime.md, "Hybrid suites"). */
import type { CryptoProvider, Kem, LimeSuite, RandomBytes } from '@sealwire/crypto/port';
import { concat } from '../bytes/concat.ts';
import { Secret } from './secret.ts';

/** How a KEM key and the ciphertext beside it are named in a short header: 96 bits, bound by the message's own authentication. */
export const KEM_INDEX_BYTES = 12;
const NO_KEY = new Uint8Array(0);

/** The secret is the seed. */
export class OwnKemKey extends Secret {
  override get kind() {
    return 'OwnKemKey' as const;
  }

  constructor(
    seed: Uint8Array,
    readonly publicKey: Uint8Array,
  ) {
    super(seed);
  }
}

export function newKemKey(kem: Kem, random: RandomBytes): OwnKemKey {
  const seed = random(kem.seedLength);
  return new OwnKemKey(seed, kem.publicKey(seed));
}

/** Throws CryptoError `bad-key`. */
export function encapsulate(
  kem: Kem,
  publicKey: Uint8Array,
  random: RandomBytes,
): { ciphertext: Uint8Array; sharedSecret: Uint8Array } {
  const entropy = random(kem.entropyLength);
  try {
    return kem.encapsulate(publicKey, entropy);
  } finally {
    entropy.fill(0);
  }
}

/** HMAC-SHA512(empty key, KEM public key | ciphertext)[0..12]. */
export function kemIndex(crypto: CryptoProvider, publicKey: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return crypto.hmacSha512(NO_KEY, concat(publicKey, ciphertext)).slice(0, KEM_INDEX_BYTES);
}

/** The two halves of a public prekey of the suite's length; `kem` is undefined in a classical suite. */
export function splitPrekey(
  suite: LimeSuite,
  publicKey: Uint8Array,
): { readonly dh: Uint8Array; readonly kem: Uint8Array | undefined } {
  const { keyLength } = suite.dh;
  return { dh: publicKey.slice(0, keyLength), kem: suite.kem && publicKey.slice(keyLength) };
}
