/**
 * Encrypts every record of another storage under one 32-byte key (an application derives it from a passphrase, e.g. by argon2id).
 *
 *   record name   base64url of the first 32 bytes of HMAC-SHA512(name key, key); of archived records `history/` is before it
 *   record value  salt[24] ‖ AES-256-GCM(record key, zero nonce, u32 length of key ‖ key ‖ value, ad = record name)
 *   record key    HKDF-SHA512(salt, value key, "sealwire sealed record", 32)
 *
 * A key of its own for each write makes the count of writes harmless: random 12-byte nonces under one key would have to stop at
 * 2^32 of them. The name in the associated data, and inside, stops whoever swaps two records on the disk. One record under a
 * plain name tells a wrong passphrase from damage.
 */
import type { CryptoProvider, RandomBytes } from '@sealwire/crypto/port';
import { encodeBase64url } from '@sealwire/wire/base64url';
import { ClientError, corruptStorage } from '../errors.ts';
import { ARCHIVE, type ClientStorage, type StorageChange } from './storage.ts';

const CHECK_NAME = 'sealed-storage-check';
const CHECK_TEXT = 'sealwire sealed storage 1';
const SALT_BYTES = 24;
const STORAGE_KEY_BYTES = 32;
const ZERO_NONCE = new Uint8Array(12);
const utf8 = new TextEncoder();

export class SealedStorage implements ClientStorage {
  readonly #inner: ClientStorage;
  readonly #crypto: CryptoProvider;
  readonly #random: RandomBytes;
  readonly #nameKey: Uint8Array;
  readonly #valueKey: Uint8Array;
  /** There when the inner storage has it. */
  readonly read?: NonNullable<ClientStorage['read']>;
  #checked = false;

  /** `storageKey`: 32 secret bytes. */
  constructor(inner: ClientStorage, storageKey: Uint8Array, crypto: CryptoProvider, random: RandomBytes) {
    if (storageKey.length !== STORAGE_KEY_BYTES)
      throw new ClientError('wrong-passphrase', 'a storage key has 32 bytes');
    this.#inner = inner;
    this.#crypto = crypto;
    this.#random = random;
    const derive = (purpose: string) => crypto.hkdfSha512(new Uint8Array(0), storageKey, utf8.encode(purpose), 32);
    this.#nameKey = derive('sealwire sealed names');
    this.#valueKey = derive('sealwire sealed values');
    if (inner.read) this.read = (keys) => this.#read(keys, inner.read!.bind(inner));
  }

  async load(): Promise<Map<string, Uint8Array>> {
    const sealed = await this.#inner.load();
    const check = sealed.get(CHECK_NAME);
    sealed.delete(CHECK_NAME);
    if (check) this.#verifyCheck(check);
    else if (sealed.size > 0) throw corrupt();
    this.#checked = check !== undefined;
    const records = new Map<string, Uint8Array>();
    for (const [name, value] of sealed) {
      const [key, plain] = this.#open(name, value);
      if (this.#nameOf(key) !== name) throw corrupt();
      records.set(key, plain);
    }
    return records;
  }

  async write(changes: readonly StorageChange[]): Promise<void> {
    const sealed: StorageChange[] = changes.map(({ key, value }) => {
      const name = this.#nameOf(key);
      return value ? { key: name, value: this.#seal(name, key, value) } : { key: name };
    });
    if (!this.#checked) sealed.push({ key: CHECK_NAME, value: this.#seal(CHECK_NAME, CHECK_TEXT, new Uint8Array(0)) });
    await this.#inner.write(sealed);
    this.#checked = true;
  }

  async #read(keys: readonly string[], read: NonNullable<ClientStorage['read']>): Promise<(Uint8Array | undefined)[]> {
    const names = keys.map((key) => this.#nameOf(key));
    const sealed = await read(names);
    return sealed.map((value, at) => {
      if (!value) return undefined;
      const [key, plain] = this.#open(names[at]!, value);
      if (key !== keys[at]) throw corrupt();
      return plain;
    });
  }

  erase(): void {
    this.#inner.erase?.();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #verifyCheck(check: Uint8Array): void {
    try {
      if (this.#open(CHECK_NAME, check)[0] === CHECK_TEXT) return;
    } catch {
      // Told below, in the words that help: the check record is a few bytes, so a wrong key is by far the likelier reason.
    }
    throw new ClientError('wrong-passphrase', 'that passphrase does not open this storage: try again');
  }

  #nameOf(key: string): string {
    const name = encodeBase64url(this.#crypto.hmacSha512(this.#nameKey, utf8.encode(key)).subarray(0, 32));
    return key.startsWith(ARCHIVE) ? ARCHIVE + name : name;
  }

  #seal(name: string, key: string, value: Uint8Array): Uint8Array {
    const keyBytes = utf8.encode(key);
    const plain = new Uint8Array(4 + keyBytes.length + value.length);
    new DataView(plain.buffer).setUint32(0, keyBytes.length);
    plain.set(keyBytes, 4);
    plain.set(value, 4 + keyBytes.length);
    const salt = this.#random(SALT_BYTES);
    const box = this.#crypto.aes256gcm.seal(this.#recordKey(salt), ZERO_NONCE, plain, utf8.encode(name));
    const sealed = new Uint8Array(SALT_BYTES + box.length);
    sealed.set(salt);
    sealed.set(box, SALT_BYTES);
    return sealed;
  }

  #open(name: string, sealed: Uint8Array): [key: string, value: Uint8Array] {
    try {
      const recordKey = this.#recordKey(sealed.slice(0, SALT_BYTES));
      const plain = this.#crypto.aes256gcm.open(recordKey, ZERO_NONCE, sealed.subarray(SALT_BYTES), utf8.encode(name));
      const length = new DataView(plain.buffer, plain.byteOffset, plain.byteLength).getUint32(0);
      return [new TextDecoder().decode(plain.subarray(4, 4 + length)), plain.slice(4 + length)];
    } catch (cause) {
      throw corrupt(cause);
    }
  }

  #recordKey(salt: Uint8Array): Uint8Array {
    return this.#crypto.hkdfSha512(salt, this.#valueKey, utf8.encode('sealwire sealed record'), 32);
  }
}

function corrupt(cause?: unknown): ClientError {
  return corruptStorage('the encrypted storage', cause);
}
