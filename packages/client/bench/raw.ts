/**
 * What one send costs at the very least in bare `node:crypto`: the peer of `group-send.ts`. No session, no key schedule, no record, no
 * check: a body under AES-256-GCM once, and for each device 32 bytes under AES-256-GCM.
 */
import {
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;

function seal(key: Uint8Array, plaintext: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** To `devices` that share a key with the sender. */
export function rawSteady(plaintext: Uint8Array, devices: number): void {
  const seed = randomBytes(KEY_BYTES);
  seal(seed, plaintext);
  for (let i = 0; i < devices; i++) seal(seed, seed);
}

/** A stranger's X25519 keys. */
export function rawBundle(): KeyObject {
  return generateKeyPairSync('x25519').publicKey;
}

/** The same to strangers: an ephemeral key and the four agreements of X3DH each, peers' keys read as they come from a directory. */
export function rawFirst(plaintext: Uint8Array, bundles: readonly Buffer[]): void {
  const seed = randomBytes(KEY_BYTES);
  seal(seed, plaintext);
  for (const bundle of bundles) {
    const { privateKey } = generateKeyPairSync('x25519');
    const publicKey = createPublicKey({ key: bundle, format: 'der', type: 'spki' });
    for (let i = 0; i < 4; i++) diffieHellman({ privateKey, publicKey });
    seal(seed, seed);
  }
}
