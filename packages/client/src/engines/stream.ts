/**
 * Files in chunks: the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár ("Online
 * Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015) over AES-256-GCM. A chunk's nonce is
 *   prefix[7] ‖ u32 index ‖ u8 final (1 for the last chunk, else 0)
 * so a chunk opens in its own place only: whoever cuts, reorders, repeats or appends chunks makes one of them
 * fail, if the reader opens the last one that it has as final and no other. A key and its prefix are random for
 * each file, so that no nonce comes twice under a key.
 */
import type { Aead, RandomBytes } from '@sealwire/crypto/port';
import { ClientError } from '../errors.ts';

const KEY_BYTES = 32;
const PREFIX_BYTES = 7;
const NONCE_BYTES = 12;
const LAST_INDEX = 2 ** 32 - 1;
const NO_AD = new Uint8Array(0);

/** key[32] ‖ nonce prefix[7]: for one file, inside an encrypted message. */
export type FileKey = Uint8Array & { readonly __fileKey: never };

export function newFileKey(random: RandomBytes): FileKey {
  return random(KEY_BYTES + PREFIX_BYTES) as FileKey;
}

/** Answers the chunk and its 16-byte tag. Only a file without any byte has an empty chunk: its first and last. */
export function encryptChunk(aead: Aead, key: FileKey, index: number, final: boolean, bytes: Uint8Array): Uint8Array {
  refuseEmpty(index, final, bytes.length);
  return aead.seal(key.subarray(0, KEY_BYTES), nonceOf(key, index, final), bytes, NO_AD);
}

/** Throws `bad-chunk` for anything but the very chunk that was encrypted at this place; nothing of it is released then. */
export function decryptChunk(aead: Aead, key: FileKey, index: number, final: boolean, sealed: Uint8Array): Uint8Array {
  const nonce = nonceOf(key, index, final);
  let bytes: Uint8Array;
  try {
    bytes = aead.open(key.subarray(0, KEY_BYTES), nonce, sealed, NO_AD);
  } catch (cause) {
    throw new ClientError('bad-chunk', 'this part of the file is damaged, or does not belong here', { cause });
  }
  refuseEmpty(index, final, bytes.length);
  return bytes;
}

function nonceOf(key: FileKey, index: number, final: boolean): Uint8Array {
  if (!Number.isInteger(index) || index < 0 || index > LAST_INDEX)
    throw new ClientError('bad-chunk', 'a file has at most 2^32 chunks');
  const nonce = new Uint8Array(NONCE_BYTES);
  nonce.set(key.subarray(KEY_BYTES));
  new DataView(nonce.buffer).setUint32(PREFIX_BYTES, index);
  nonce[NONCE_BYTES - 1] = final ? 1 : 0;
  return nonce;
}

function refuseEmpty(index: number, final: boolean, length: number): void {
  if (length === 0 && !(index === 0 && final)) throw new ClientError('bad-chunk', 'an empty chunk in a file');
}
