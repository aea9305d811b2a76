/** The provider that runs everywhere: audited JavaScript, no native code. Slow next to `node`, the same bytes. */

import { equalBytes } from '@noble/ciphers/utils.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { requireHkdfLength } from './hkdf-sizes.ts';
import { limeSuites } from './lime-suites.ts';
import { nobleAes256Gcm, nobleChacha20Poly1305 } from './noble-aead.ts';
import { nobleX448, nobleX25519 } from './noble-dh.ts';
import { nobleMlKem512, nobleMlKem1024 } from './noble-ml-kem.ts';
import { nobleEd448, nobleEd25519, nobleEd25519ctx } from './noble-signatures.ts';
import type { CryptoProvider } from './port.ts';

/** A provider without state; calling it twice is harmless. */
export function nobleCrypto(): CryptoProvider {
  const parts = {
    x25519: nobleX25519,
    x448: nobleX448,
    ed25519ctx: nobleEd25519ctx,
    ed448: nobleEd448,
    mlKem512: nobleMlKem512,
    mlKem1024: nobleMlKem1024,
  };
  return {
    name: 'noble',
    ...parts,
    ed25519: nobleEd25519,
    aes256gcm: nobleAes256Gcm,
    chacha20poly1305: nobleChacha20Poly1305,
    suites: limeSuites(parts),
    sha256: (data) => sha256(data),
    sha512: (data) => sha512(data),
    sha256Stream() {
      const stream = sha256.create();
      return { update: (data) => void stream.update(data), digest: () => stream.digest() };
    },
    hmacSha384: (key, data) => hmac(sha384, key, data),
    hmacSha512: (key, data) => hmac(sha512, key, data),
    hkdfSha512(salt, inputKeyMaterial, info, length) {
      requireHkdfLength(length);
      return hkdf(sha512, inputKeyMaterial, salt, info, length);
    },
    equal: (a, b) => equalBytes(a, b),
  };
}
