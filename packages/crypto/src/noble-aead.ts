/** AES-256-GCM (SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) on noble. */
import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { AEAD_KEY_LENGTH, CHACHA_NONCE_LENGTHS, GCM_NONCE_LENGTHS, notAuthentic } from './aead-sizes.ts';
import { requireLength } from './lengths.ts';
import type { Aead } from './port.ts';

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
        throw notAuthentic();
      }
    },
  };
}
