/**
 * Encryption by RSA and AES-CBC as NES uses it (docs/spec/nes.md sections 1 and 2), over node:crypto. It is no part of the crypto port:
 * nothing else of this house may use it, and no server may (`signature.ts` is what they need).
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import { unwrapKey } from './unpadding.ts';

/** 32 bytes of the AES-256 key, 16 of the initialization vector. */
export const KEY_BYTES = 48;
export const BLOCK_BYTES = 16;
const AES_KEY_BYTES = 32;

/** RSAES-PKCS1-v1_5; answers as many bytes as the modulus has. */
export function wrap(recipient: KeyObject, key: Uint8Array): Uint8Array {
  return new Uint8Array(publicEncrypt({ key: recipient, padding: constants.RSA_PKCS1_PADDING }, key));
}

/** `wrapped`: as long as the modulus. What was not wrapped right answers `instead`: 48 random bytes, fresh for this call. */
export function unwrap(own: KeyObject, wrapped: Uint8Array, instead: Uint8Array): Uint8Array {
  // Node refuses PKCS#1 v1.5 here, since it could not hide a bad padding.
  const block = rawDecrypt(own, wrapped);
  return unwrapKey(block, instead);
}

function rawDecrypt(own: KeyObject, wrapped: Uint8Array): Uint8Array {
  try {
    return privateDecrypt({ key: own, padding: constants.RSA_NO_PADDING }, wrapped);
  } catch {
    // A number not below the modulus, which is public: a block that is bad in any case.
    return new Uint8Array(wrapped.length);
  }
}

/** AES-256-CBC with PKCS#7 padding; `key`: 48 bytes. */
export function encrypt(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-cbc', key.subarray(0, AES_KEY_BYTES), key.subarray(AES_KEY_BYTES));
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final()]));
}

/** `ciphertext`: a positive multiple of 16 bytes. Undefined when any byte of the padding is not right; all of the last block is looked at. */
export function decrypt(key: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv('aes-256-cbc', key.subarray(0, AES_KEY_BYTES), key.subarray(AES_KEY_BYTES));
  decipher.setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  const length = padded[padded.length - 1]!;
  let bad = length === 0 || length > BLOCK_BYTES ? 1 : 0;
  for (let i = 1; i <= BLOCK_BYTES; i++) bad |= (i <= length ? 0xff : 0) & (padded[padded.length - i]! ^ length);
  return bad === 0 ? new Uint8Array(padded.subarray(0, padded.length - length)) : undefined;
}
