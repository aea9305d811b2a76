/**
 * ML-KEM-512 and ML-KEM-1024 (FIPS 203) on noble; node:crypto has none before Node 24.
 *
 * A private key is kept as its seed d | z, from which FIPS 203 derives everything (section 7.1): 64 bytes instead of 1,632 or 3,168, and a
 * key with a wrong hash or foreign parts cannot be stored at all. It is expanded for each decapsulation and overwritten afterwards.
 */
import { ml_kem512, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { requireLength } from './lengths.ts';
import { CryptoError, type Kem } from './port.ts';

type Scheme = typeof ml_kem512;

/** d[32] | z[32]: what key generation draws (FIPS 203, algorithm 19). */
const SEED_LENGTH = 64;
/** m: what encapsulation draws (algorithm 20). */
const ENTROPY_LENGTH = 32;
const SHARED_SECRET_LENGTH = 32;
/** ByteEncode12 of 256 coefficients (algorithm 5): three bytes hold two of them. */
const POLYNOMIAL_LENGTH = 384;
const RHO_LENGTH = 32;
const Q = 3329;

export const nobleMlKem512: Kem = mlKem(ml_kem512);
export const nobleMlKem1024: Kem = mlKem(ml_kem1024);

function mlKem(scheme: Scheme): Kem {
  const publicKeyLength = scheme.lengths.publicKey!;
  const ciphertextLength = scheme.lengths.cipherText!;
  return {
    seedLength: SEED_LENGTH,
    publicKeyLength,
    ciphertextLength,
    sharedSecretLength: SHARED_SECRET_LENGTH,
    entropyLength: ENTROPY_LENGTH,
    publicKey(seed) {
      requireLength('KEM seed', seed, SEED_LENGTH);
      const { publicKey, secretKey } = scheme.keygen(seed);
      secretKey.fill(0);
      return publicKey;
    },
    encapsulate(publicKey, entropy) {
      requireLength('KEM public key', publicKey, publicKeyLength);
      requireLength('KEM entropy', entropy, ENTROPY_LENGTH);
      if (!isReduced(publicKey)) throw new CryptoError('bad-key', 'a coefficient of the KEM public key is not reduced');
      const { cipherText, sharedSecret } = scheme.encapsulate(publicKey, entropy);
      // A view of the intermediate G(m | H(ek)) otherwise, whose other half noble has wiped.
      return { ciphertext: cipherText, sharedSecret: sharedSecret.slice() };
    },
    decapsulate(seed, ciphertext) {
      requireLength('KEM seed', seed, SEED_LENGTH);
      requireLength('KEM ciphertext', ciphertext, ciphertextLength);
      const { secretKey } = scheme.keygen(seed);
      try {
        return decapsulateExpanded(scheme, secretKey, ciphertext);
      } finally {
        secretKey.fill(0);
      }
    },
    isValidPublicKey: (publicKey) => publicKey.length === publicKeyLength && isReduced(publicKey),
  };
}

/**
 * Decapsulation with the expanded key dk of FIPS 203, after the input checks of its section 7.3. A ciphertext that was not made for this
 * key gives a secret that nobody knows (implicit rejection), never an error. Throws `bad-length`; `bad-key` when the hash in dk is wrong.
 */
export function decapsulateExpanded(scheme: Scheme, expandedKey: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  requireLength('KEM decapsulation key', expandedKey, scheme.lengths.secretKey!);
  requireLength('KEM ciphertext', ciphertext, scheme.lengths.cipherText!);
  try {
    return scheme.decapsulate(ciphertext, expandedKey).slice();
  } catch {
    // With the lengths right, the only reason left is the hash check.
    throw new CryptoError('bad-key', 'the hash in the KEM decapsulation key is wrong');
  }
}

/** The modulus check of section 7.2: every coefficient of the key is below q. Public data, so it may stop early. */
function isReduced(publicKey: Uint8Array): boolean {
  const end = publicKey.length - RHO_LENGTH;
  if (end % POLYNOMIAL_LENGTH !== 0) return false;
  for (let at = 0; at < end; at += 3) {
    const [low, middle, high] = [publicKey[at]!, publicKey[at + 1]!, publicKey[at + 2]!];
    if ((low | ((middle & 0x0f) << 8)) >= Q || ((middle >>> 4) | (high << 4)) >= Q) return false;
  }
  return true;
}
