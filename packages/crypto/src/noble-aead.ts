/** AES-256-GCM (SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) on noble. */
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { requireLength } from './lengths.ts';
import { type Aead, CryptoError } from './port.ts';

/** LIME uses the 16-byte nonce, whose J0 goes through GHASH (lime-protocol section 0, trap 4). */
export const GCM_NONCE_LENGTHS = [12, 16] as const;
export const CHACHA_NONCE_LENGTHS = [12] as const;
export const AEAD_KEY_LENGTH = 32;
export const AEAD_TAG_LENGTH = 16;

export const nobleAes256Gcm: Aead = aead(gcm, GCM_NONCE_LENGTHS);
export const nobleChacha20Poly1305: Aead = aead(chacha20poly1305, CHACHA_NONCE_LENGTHS);

function aead(cipher: typeof gcm | typeof chacha20poly1305, nonceLengths: readonly number[]): Aead {
  return {
    seal(key, nonce, plaintext, associatedData) {
      requireLength('key', key, AEAD_KEY_LENGTH);
      requireLength('nonce', nonce, ...nonceLengths);
      return cipher(key, nonce, associatedData).encrypt(plaintext);
    },
    open(key, nonce, sealed, associatedData) {
      requireLength('key', key, AEAD_KEY_LENGTH);
      requireLength('nonce', nonce, ...nonceLengths);
      try {
        return cipher(key, nonce, associatedData).decrypt(sealed);
      } catch {
        throw new CryptoError('authentication-failed', 'the sealed bytes are not authentic');
      }
    },
  };
}
