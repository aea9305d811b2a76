/**
 * Files in chunks: the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár ("Online
 * Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015) over AES-256-GCM. A chunk's nonce is
 *   prefix[7] ‖ u32 index ‖ u8 final (1 for the last chunk, else 0)
 * so a chunk opens in its own place only: whoever cuts, reorders, repeats or appends chunks makes one of them
 * fail, if the reader opens the last one that it has as final and no other. No nonce comes twice under a key with
 * other content: a key is made by the object that encrypts one file, which refuses a second content for a place.
 */
import type { Aead, CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { ClientError } from '../errors.ts';

const KEY_BYTES = 32;
const PREFIX_BYTES = 7;
const NONCE_BYTES = 12;
const LAST_INDEX = 2 ** 32 - 1;
const NO_AD = new Uint8Array(0);

/** key[32] ‖ nonce prefix[7]: for one file, inside an encrypted message. */
export type FileKey = Uint8Array & { readonly __fileKey: never };

/** Encrypts one file, under a key of its own. Chunks in any order; one that is asked for again has the same bytes. */
export class FileEncryption {
  readonly #crypto: Pick<CryptoProvider, 'aes256gcm' | 'sha256' | 'equal'>;
  readonly #key: FileKey;
  /** SHA-256 of what is encrypted at each index. */
  readonly #contents = new Map<number, Uint8Array>();

  constructor(crypto: Pick<CryptoProvider, 'aes256gcm' | 'sha256' | 'equal'>, random: RandomBytes) {
    this.#crypto = crypto;
    this.#key = random(KEY_BYTES + PREFIX_BYTES) as FileKey;
  }

  /** A copy, for those who decrypt. */
  get key(): FileKey {
    return this.#key.slice() as FileKey;
  }

  /**
   * Answers the chunk and its 16-byte tag. Only a file without any byte has an empty chunk: its first and last. Throws `chunk-differs`
   * when something else was encrypted at this index: a file that has changed needs a new key; `bad-chunk` for an index that there is not.
   */
  encryptChunk(index: number, final: boolean, bytes: Uint8Array): Uint8Array {
    refuseEmpty(index, final, bytes.length);
    const nonce = nonceOf(this.#key, index, final);
    this.#refuseOther(index, final, bytes);
    return this.#crypto.aes256gcm.seal(this.#key.subarray(0, KEY_BYTES), nonce, bytes, NO_AD);
  }

  #refuseOther(index: number, final: boolean, bytes: Uint8Array): void {
    const content = new Uint8Array(1 + bytes.length);
    content[0] = final ? 1 : 0;
    content.set(bytes, 1);
    const digest = this.#crypto.sha256(content);
    const before = this.#contents.get(index);
    if (before && !this.#crypto.equal(before, digest))
      throw new ClientError(
        'chunk-differs',
        `part ${index} of this file was encrypted with other content: encrypt the changed file as a new one`,
      );
    this.#contents.set(index, digest);
  }
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
