/** Sizes of the two AEADs, in bytes, and the one answer to a failed tag. */
import { CryptoError } from './port.ts';

export const AEAD_KEY_LENGTH = 32;
export const AEAD_TAG_LENGTH = 16;
/** LIME uses the 16-byte nonce, whose J0 goes through GHASH (lime-protocol section 0, trap 4). */
export const GCM_NONCE_LENGTHS = [12, 16] as const;
export const CHACHA_NONCE_LENGTHS = [12] as const;

/** Says the same whatever was wrong: key, nonce, associated data, ciphertext, tag or length. */
export function notAuthentic(): CryptoError {
  return new CryptoError('authentication-failed', 'the sealed bytes are not authentic');
}
