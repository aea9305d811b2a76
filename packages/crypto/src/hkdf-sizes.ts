/** The bounds of HKDF-SHA-512, in bytes (RFC 5869 section 2.3). */
import { CryptoError } from './port.ts';

export const SHA512_LENGTH = 64;

/** The block counter is one byte. */
const HKDF_SHA512_MAX_LENGTH = 255 * SHA512_LENGTH;

/** Throws `output-too-long` above the limit, `bad-length` for what is no length at all. */
export function requireHkdfLength(length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) throw new CryptoError('bad-length', 'HKDF: not a length');
  if (length > HKDF_SHA512_MAX_LENGTH) {
    throw new CryptoError('output-too-long', `HKDF-SHA-512 gives at most ${HKDF_SHA512_MAX_LENGTH} bytes`);
  }
}
