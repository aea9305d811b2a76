/** The proof of a Digest with `qop=auth` (RFC 7616 section 3.4.1). */

import { type DigestAlgorithm, digestHash } from '@sealwire/access/digest-hash';
import type { CryptoProvider } from '@sealwire/crypto/port';

export interface DigestQuestion {
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  readonly nc: string;
  readonly cnonce: string;
}

/** `ha1` and the answer in small hexadecimal digits; everything else as it travels, in Latin-1. */
export function digestResponse(
  crypto: Pick<CryptoProvider, 'sha256'>,
  algorithm: DigestAlgorithm,
  ha1: string,
  { method, uri, nonce, nc, cnonce }: DigestQuestion,
): string {
  const ha2 = digestHash(crypto, algorithm, `${method}:${uri}`);
  return digestHash(crypto, algorithm, `${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`);
}
