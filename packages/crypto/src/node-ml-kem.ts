/**
 * ML-KEM where OpenSSL has it (3.5, as in Node 24): key pairs and decapsulation. Encapsulation stays noble's, since OpenSSL draws its
 * randomness itself and the port's is the caller's.
 *
 * Seeds enter as PKCS #8 in the form that has the seed alone (RFC 9935), and each becomes a key object once: it is kept under its array's
 * identity, as the keys of `node.ts` are.
 */
import * as openssl from 'node:crypto';
import { requireLength } from './lengths.ts';
import type { Kem } from './port.ts';

/** Of NIST's arc of key encapsulation: the last byte of the object identifier. */
type KemId = 1 | 3;

/** Newer than the types that this repository is built with. */
type Decapsulate = (privateKey: openssl.KeyObject, ciphertext: Uint8Array) => Buffer;
const { decapsulate } = openssl as { readonly decapsulate?: Decapsulate };

/** PKCS #8 up to the seed: version 0, the algorithm, an octet string with the seed under the tag [0]. */
const pkcs8Prefix = (id: KemId) => Buffer.from(`3054020100300b060960864801650304040${id}04428040`, 'hex');

/** `noble`: for what OpenSSL has not, and for all of it where OpenSSL has nothing. `id`: 1 is ML-KEM-512, 3 is ML-KEM-1024. */
export function nodeMlKem(id: KemId, noble: Kem): Kem {
  if (!decapsulate || !canImport(id)) return noble;
  const keys = new WeakMap<Uint8Array, openssl.KeyObject>();

  function privateKey(seed: Uint8Array): openssl.KeyObject {
    requireLength('KEM seed', seed, noble.seedLength);
    const known = keys.get(seed);
    if (known) return known;
    const key = importSeed(id, seed);
    keys.set(seed, key);
    return key;
  }

  return {
    ...noble,
    publicKey(seed) {
      const spki = openssl.createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' });
      return new Uint8Array(spki.subarray(spki.length - noble.publicKeyLength));
    },
    decapsulate(seed, ciphertext) {
      const key = privateKey(seed);
      requireLength('KEM ciphertext', ciphertext, noble.ciphertextLength);
      return new Uint8Array(decapsulate(key, ciphertext));
    },
  };
}

function importSeed(id: KemId, seed: Uint8Array): openssl.KeyObject {
  const key = Buffer.concat([pkcs8Prefix(id), seed]);
  try {
    return openssl.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    key.fill(0);
  }
}

/** Node has the call from 24.7 on, and can be built with an OpenSSL that has no ML-KEM. */
function canImport(id: KemId): boolean {
  try {
    importSeed(id, new Uint8Array(64));
    return true;
  } catch {
    return false;
  }
}
