/**
 * The fast provider: node:crypto where it has the primitive, noble where not (Ed25519ctx, point validation, conversions, ML-KEM before Node 24).
 * With `node-ml-kem.ts` the only file of the repository that touches node:crypto's primitives.
 *
 * Raw keys enter as JWK, which Node 20 imports ten times faster than DER, and each becomes a key object once: it is kept under its
 * array's identity (keys are immutable by the port's contract) and goes when the array goes. No pair is ever *generated* by
 * OpenSSL here: exporting such a pair as JWK deadlocks Node 20, and keys are random bytes anyway.
 */
import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hash,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import {
  AEAD_KEY_LENGTH,
  AEAD_TAG_LENGTH,
  CHACHA_NONCE_LENGTHS,
  GCM_NONCE_LENGTHS,
  notAuthentic,
} from './aead-sizes.ts';
import { requireHkdfLength, SHA512_LENGTH } from './hkdf-sizes.ts';
import { requireLength } from './lengths.ts';
import { limeSuites } from './lime-suites.ts';
import { nobleX448, nobleX25519 } from './noble-dh.ts';
import { nobleMlKem512, nobleMlKem1024 } from './noble-ml-kem.ts';
import { nobleEd448, nobleEd25519, nobleEd25519ctx } from './noble-signatures.ts';
import { nodeMlKem } from './node-ml-kem.ts';
import { type Aead, CryptoError, type CryptoProvider, type DiffieHellman, type Signatures } from './port.ts';
import { ED448_ENCODING, ED25519_ENCODING, type EdwardsEncoding, isStrictSignature } from './strict-edwards.ts';

/** RFC 8037 names of the curves. */
type OkpCurve = 'X25519' | 'X448' | 'Ed25519' | 'Ed448';

/** Node 24 spends 10 us on taking in a raw secret (seen on 24.21; not on 20, 22 and 26); a key object goes round that. */
const secretKey: (bytes: Uint8Array) => Uint8Array | KeyObject = process.versions.node.startsWith('24.')
  ? createSecretKey
  : (bytes) => bytes;

/** A provider with caches of its own; one for a process is enough. */
export function nodeCrypto(): CryptoProvider {
  const parts = {
    x25519: nodeDiffieHellman('X25519', nobleX25519),
    x448: nodeDiffieHellman('X448', nobleX448),
    ed25519ctx: nobleEd25519ctx,
    ed448: nodeSignatures('Ed448', ED448_ENCODING, nobleEd448),
    mlKem512: nodeMlKem(1, nobleMlKem512),
    mlKem1024: nodeMlKem(3, nobleMlKem1024),
  };
  return {
    name: 'node',
    ...parts,
    ed25519: nodeSignatures('Ed25519', ED25519_ENCODING, nobleEd25519),
    aes256gcm: nodeAead('aes-256-gcm', GCM_NONCE_LENGTHS),
    chacha20poly1305: nodeAead('chacha20-poly1305', CHACHA_NONCE_LENGTHS),
    suites: limeSuites(parts),
    // One call: half the time of a hash object on the relay's kilobyte (1.5 against 3 us).
    sha256: (data) => plain(hash('sha256', data, 'buffer')),
    sha512: (data) => plain(createHash('sha512').update(data).digest()),
    sha256Stream() {
      const stream = createHash('sha256');
      return { update: (data) => void stream.update(data), digest: () => plain(stream.digest()) };
    },
    hmacSha384: (key, data) => plain(createHmac('sha384', secretKey(key)).update(data).digest()),
    hmacSha512,
    hkdfSha512,
    equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  };
}

function nodeDiffieHellman(curve: OkpCurve, noble: DiffieHellman): DiffieHellman {
  const keys = keyObjects(curve);
  const { keyLength } = noble;
  return {
    keyLength,
    publicKey(privateKey) {
      requireLength('private key', privateKey, keyLength);
      return keys.publicOf(privateKey);
    },
    sharedSecret(privateKey, publicKey) {
      requireLength('private key', privateKey, keyLength);
      requireLength('public key', publicKey, keyLength);
      const pair = { privateKey: keys.private(privateKey), publicKey: keys.public(publicKey) };
      try {
        return plain(diffieHellman(pair));
      } catch {
        // OpenSSL fails the derivation exactly when the result is all zero.
        throw new CryptoError('low-order', 'the shared secret would be zero');
      }
    },
    isValidPublicKey: noble.isValidPublicKey,
  };
}

function nodeSignatures(curve: OkpCurve, encoding: EdwardsEncoding, noble: Signatures): Signatures {
  const keys = keyObjects(curve);
  return {
    seedLength: noble.seedLength,
    publicKeyLength: noble.publicKeyLength,
    signatureLength: noble.signatureLength,
    publicKey(seed) {
      requireLength('seed', seed, noble.seedLength);
      return keys.publicOf(seed);
    },
    sign(seed, message) {
      requireLength('seed', seed, noble.seedLength);
      return plain(sign(null, message, keys.private(seed)));
    },
    verify(publicKey, message, signature) {
      // OpenSSL alone takes small-order and unreduced keys; that A is a point at all, it does check.
      return (
        isStrictSignature(encoding, publicKey, signature) && verify(null, message, keys.public(publicKey), signature)
      );
    },
    // OpenSSL imports any bytes of the right length, so only noble can tell whether they are a point.
    isValidPublicKey: noble.isValidPublicKey,
  };
}

function keyObjects(crv: OkpCurve) {
  const privateKeys = new WeakMap<Uint8Array, KeyObject>();
  const publicKeys = new WeakMap<Uint8Array, KeyObject>();

  function privateKey(bytes: Uint8Array): KeyObject {
    const known = privateKeys.get(bytes);
    if (known) return known;
    const key = importPrivateKey(crv, bytes);
    privateKeys.set(bytes, key);
    return key;
  }

  function publicKey(bytes: Uint8Array): KeyObject {
    const known = publicKeys.get(bytes);
    if (known) return known;
    const key = createPublicKey({ key: { kty: 'OKP', crv, x: base64url(bytes) }, format: 'jwk' });
    publicKeys.set(bytes, key);
    return key;
  }

  function publicOf(bytes: Uint8Array): Uint8Array {
    const { x } = createPublicKey(privateKey(bytes)).export({ format: 'jwk' });
    return new Uint8Array(Buffer.from(x!, 'base64url'));
  }

  return { private: privateKey, public: publicKey, publicOf };
}

/** PKCS #8 of RFC 8410 up to the raw key: version 0, the algorithm's object identifier, two nested octet strings. */
const PKCS8_PREFIX: Readonly<Record<OkpCurve, Buffer>> = {
  X25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
  X448: Buffer.from('3046020100300506032b656f043a0438', 'hex'),
  Ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
  Ed448: Buffer.from('3047020100300506032b6571043b0439', 'hex'),
};

/** From Node 26 on `x` must match, and PKCS #8 has become as fast as JWK; on Node 20 it takes 350 us against 32. */
const importPrivateKey = canImportWithoutPublicKey() ? privateKeyFromJwk : privateKeyFromPkcs8;

function canImportWithoutPublicKey(): boolean {
  try {
    privateKeyFromJwk('X25519', new Uint8Array(32));
    return true;
  } catch {
    return false;
  }
}

/** Older Nodes want `x` to be there and then compute the public key from `d` alone. */
function privateKeyFromJwk(crv: OkpCurve, bytes: Uint8Array): KeyObject {
  return createPrivateKey({ key: { kty: 'OKP', crv, d: base64url(bytes), x: '' }, format: 'jwk' });
}

function privateKeyFromPkcs8(crv: OkpCurve, bytes: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX[crv], bytes]), format: 'der', type: 'pkcs8' });
}

function nodeAead(algorithm: 'aes-256-gcm' | 'chacha20-poly1305', nonceLengths: readonly number[]): Aead {
  // Both share one calling convention; Node's types know it under the name of GCM.
  const name = algorithm as CipherGCMTypes;
  const options = { authTagLength: AEAD_TAG_LENGTH };
  return {
    seal(key, nonce, plaintext, associatedData) {
      requireLength('key', key, AEAD_KEY_LENGTH);
      requireLength('nonce', nonce, ...nonceLengths);
      const cipher = createCipheriv(name, secretKey(key), nonce, options);
      cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
      const sealed = new Uint8Array(plaintext.length + AEAD_TAG_LENGTH);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    open(key, nonce, sealed, associatedData) {
      requireLength('key', key, AEAD_KEY_LENGTH);
      requireLength('nonce', nonce, ...nonceLengths);
      const plaintextLength = sealed.length - AEAD_TAG_LENGTH;
      if (plaintextLength < 0) throw notAuthentic();
      const decipher = createDecipheriv(name, secretKey(key), nonce, options);
      decipher.setAAD(associatedData, { plaintextLength });
      decipher.setAuthTag(sealed.subarray(plaintextLength));
      const plaintext = decipher.update(sealed.subarray(0, plaintextLength));
      try {
        decipher.final();
      } catch {
        plaintext.fill(0);
        throw notAuthentic();
      }
      return plain(plaintext);
    },
  };
}

function hmacSha512(key: Uint8Array, data: Uint8Array): Uint8Array {
  return plain(createHmac('sha512', secretKey(key)).update(data).digest());
}

/** RFC 5869 by hand: on Node 20 two or three `createHmac` calls cost two thirds of `hkdfSync`. */
function hkdfSha512(salt: Uint8Array, inputKeyMaterial: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  requireHkdfLength(length);
  const pseudorandomKey = secretKey(createHmac('sha512', secretKey(salt)).update(inputKeyMaterial).digest());
  const blocks = Math.ceil(length / SHA512_LENGTH);
  const output = new Uint8Array(blocks * SHA512_LENGTH);
  for (let i = 0; i < blocks; i++) {
    const previous = output.subarray(Math.max(0, i - 1) * SHA512_LENGTH, i * SHA512_LENGTH);
    const block = createHmac('sha512', pseudorandomKey)
      .update(previous)
      .update(info)
      .update(Uint8Array.of(i + 1));
    output.set(block.digest(), i * SHA512_LENGTH);
  }
  return output.slice(0, length);
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** A Buffer's bytes as the plain array that the port promises; without a copy where the Buffer owns its memory. */
function plain(buffer: Buffer): Uint8Array {
  return buffer.byteLength === buffer.buffer.byteLength ? new Uint8Array(buffer.buffer) : new Uint8Array(buffer);
}
