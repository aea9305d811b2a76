/** X25519 and X448 (RFC 7748) on noble. */

import { x448 } from '@noble/curves/ed448.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { requireLength } from './lengths.ts';
import { CryptoError, type DiffieHellman } from './port.ts';
import { isStrictMontgomeryKey, type MontgomeryEncoding, X448_ENCODING, X25519_ENCODING } from './strict-montgomery.ts';

export const nobleX25519: DiffieHellman = diffieHellman(x25519, X25519_ENCODING);
export const nobleX448: DiffieHellman = diffieHellman(x448, X448_ENCODING);

function diffieHellman(curve: typeof x25519, encoding: MontgomeryEncoding): DiffieHellman {
  const { keyLength } = encoding;
  return {
    keyLength,
    publicKey(privateKey) {
      requireLength('private key', privateKey, keyLength);
      return curve.getPublicKey(privateKey);
    },
    sharedSecret(privateKey, publicKey) {
      requireLength('private key', privateKey, keyLength);
      requireLength('public key', publicKey, keyLength);
      try {
        return curve.getSharedSecret(privateKey, publicKey);
      } catch {
        // With the lengths right, the only reason left is an all-zero result.
        throw new CryptoError('low-order', 'the shared secret would be zero');
      }
    },
    isValidPublicKey: (publicKey) => isStrictMontgomeryKey(encoding, publicKey),
  };
}
