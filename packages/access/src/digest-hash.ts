/** The hashes of HTTP Digest (RFC 7616 section 3.4.2). */
import { md5 } from '@sealwire/crypto/md5';
import type { CryptoProvider } from '@sealwire/crypto/port';

export type DigestAlgorithm = 'SHA-256' | 'MD5';

/** `H(text)` in small hexadecimal digits. `text` is Latin-1, as Node hands out the bytes of a header. */
export function digestHash(crypto: Pick<CryptoProvider, 'sha256'>, algorithm: DigestAlgorithm, text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.from(algorithm === 'MD5' ? md5(bytes) : crypto.sha256(bytes)).toString('hex');
}
