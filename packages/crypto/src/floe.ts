/**
 * FLOE, "Fast Lightweight Online Encryption" (Snowflake's public specification; "Random-Access AEAD
 * for Fast Lightweight Online Encryption", eprint 2025/2275), with its fixed parameters AES-256-GCM,
 * HKDF-Expand-SHA-384 and a 32-byte IV. Section names below are the specification's.
 *
 *   header  = params[10] ‖ iv[32] ‖ tag[32]       the tag commits to key, parameters, IV and associated data
 *   segment = u32 length ‖ iv[12] ‖ ciphertext ‖ tag[16]   length 0xffffffff in all but the last
 *
 * Position and "last" are associated data of each segment, so that it opens in its own place only. Calls answer
 * promises because WebCrypto does; the order of the calls decides the order of the segments.
 */
import { CryptoError, type CryptoProvider, type RandomBytes } from './port.ts';

const IV_BYTES = 32;
const PARAMS_BYTES = 10;
const HEADER_TAG_BYTES = 32;
const KEY_BYTES = 32;
const MESSAGE_KEY_BYTES = 48;
const SEGMENT_IV_BYTES = 12;
const LENGTH_BYTES = 4;
const INTERNAL = 0xffff_ffff;
const MOST_SEGMENTS = 2 ** 40;
const HEADER_TAG = new TextEncoder().encode('HEADER_TAG:');
const MESSAGE_KEY = new TextEncoder().encode('MESSAGE_KEY:');
const SEGMENT_KEY = new TextEncoder().encode('DEK:');

export const FLOE_HEADER_BYTES = PARAMS_BYTES + IV_BYTES + HEADER_TAG_BYTES;
/** What a segment is longer than its plaintext: length, IV, tag. */
export const FLOE_SEGMENT_OVERHEAD = LENGTH_BYTES + SEGMENT_IV_BYTES + 16;

type Awaitable<T> = T | Promise<T>;

/** What FLOE is made of. Every `CryptoProvider` has it; `web.ts` makes it of WebCrypto. */
export interface FloePrimitives {
  hmacSha384(key: Uint8Array, data: Uint8Array): Awaitable<Uint8Array>;
  readonly aes256gcm: {
    seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Awaitable<Uint8Array>;
    /** Fails with `authentication-failed`. */
    open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, ad: Uint8Array): Awaitable<Uint8Array>;
  };
  readonly equal: CryptoProvider['equal'];
}

export interface FloeParameters {
  /** `ENC_SEG_LEN`: bytes of every segment but the last, which may be shorter. */
  readonly segmentBytes: number;
  /** `AEAD_ROTATION_MASK`: a key is for 2^this segments. 20 by the specification; some known answers have 2. */
  readonly rotationBits: number;
}

export const FLOE_64K: FloeParameters = { segmentBytes: 65_536, rotationBits: 20 };

/** The keys of one message; both sides derive them, and keep that of the last segment they worked on. */
class FloeKeys {
  readonly primitives: FloePrimitives;
  readonly parameters: FloeParameters;
  readonly #messageKey: Uint8Array;
  readonly #prefix: Uint8Array;
  readonly #ad: Uint8Array;
  #current: { readonly period: number; readonly key: Awaitable<Uint8Array> } | undefined;

  constructor(
    primitives: FloePrimitives,
    parameters: FloeParameters,
    messageKey: Uint8Array,
    prefix: Uint8Array,
    ad: Uint8Array,
  ) {
    this.primitives = primitives;
    this.parameters = parameters;
    this.#messageKey = messageKey;
    this.#prefix = prefix;
    this.#ad = ad;
  }

  /** `DERIVE_KEY`. */
  segmentKey(position: number): Awaitable<Uint8Array> {
    const period = position - (position % 2 ** this.parameters.rotationBits);
    if (this.#current?.period !== period) {
      const purpose = concat(SEGMENT_KEY, u64(period));
      this.#current = {
        period,
        key: floeKdf(this.primitives, this.#messageKey, this.#prefix, purpose, this.#ad, KEY_BYTES),
      };
    }
    return this.#current.key;
  }
}

/** Encrypts one message, segment after segment: `startOnlineEncryption` and its two calls. */
export class FloeEncryptor {
  /** `FLOE_HEADER_BYTES`: goes before the first segment. */
  readonly header: Uint8Array;
  readonly #keys: FloeKeys;
  readonly #random: RandomBytes;
  #next = 0;
  #closed = false;

  private constructor(header: Uint8Array, keys: FloeKeys, random: RandomBytes) {
    this.header = header;
    this.#keys = keys;
    this.#random = random;
  }

  /** `key`: 32 bytes; may be used again, as the IV is random. Throws `bad-length`. */
  static async start(
    primitives: FloePrimitives,
    random: RandomBytes,
    key: Uint8Array,
    ad: Uint8Array,
    parameters = FLOE_64K,
  ): Promise<FloeEncryptor> {
    requireKey(key);
    const prefix = concat(encodeParameters(parameters), random(IV_BYTES));
    const tag = await floeKdf(primitives, key, prefix, HEADER_TAG, ad, HEADER_TAG_BYTES);
    const messageKey = await floeKdf(primitives, key, prefix, MESSAGE_KEY, ad, MESSAGE_KEY_BYTES);
    const keys = new FloeKeys(primitives, parameters, messageKey, prefix, ad);
    return new FloeEncryptor(concat(prefix, tag), keys, random);
  }

  /** `plaintext`: exactly `segmentBytes - FLOE_SEGMENT_OVERHEAD`. Throws `bad-length`, and `closed` after the last one. */
  async encryptSegment(plaintext: Uint8Array): Promise<Uint8Array> {
    return this.#encrypt(plaintext, false);
  }

  /** The last one: of any length up to that, none too. */
  async encryptLastSegment(plaintext: Uint8Array): Promise<Uint8Array> {
    return this.#encrypt(plaintext, true);
  }

  async #encrypt(plaintext: Uint8Array, last: boolean): Promise<Uint8Array> {
    const { primitives, parameters } = this.#keys;
    const most = parameters.segmentBytes - FLOE_SEGMENT_OVERHEAD;
    if (last ? plaintext.length > most : plaintext.length !== most)
      throw new CryptoError('bad-length', `FLOE: a segment has ${most} bytes, the last one at most that`);
    if (this.#closed || (!last && this.#next === MOST_SEGMENTS - 1)) throw closed();
    const position = this.#next++;
    this.#closed = last;
    const iv = this.#random(SEGMENT_IV_BYTES);
    const key = await this.#keys.segmentKey(position);
    const sealed = await primitives.aes256gcm.seal(key, iv, plaintext, segmentAd(position, last));
    return concat(u32(last ? plaintext.length + FLOE_SEGMENT_OVERHEAD : INTERNAL), iv, sealed);
  }
}

/** Opens segments in any order: `startDecryption` and `decryptSegment`. For who knows which position is the last. */
export class FloeReader {
  readonly #keys: FloeKeys;

  private constructor(keys: FloeKeys) {
    this.#keys = keys;
  }

  /** Throws `authentication-failed` for another key, associated data, parameters, or a changed header. */
  static async start(
    primitives: FloePrimitives,
    key: Uint8Array,
    ad: Uint8Array,
    header: Uint8Array,
    parameters = FLOE_64K,
  ): Promise<FloeReader> {
    requireKey(key);
    if (
      header.length !== FLOE_HEADER_BYTES ||
      !primitives.equal(header.subarray(0, PARAMS_BYTES), encodeParameters(parameters))
    )
      throw notAuthentic();
    const prefix = header.slice(0, PARAMS_BYTES + IV_BYTES);
    const tag = await floeKdf(primitives, key, prefix, HEADER_TAG, ad, HEADER_TAG_BYTES);
    if (!primitives.equal(tag, header.subarray(prefix.length))) throw notAuthentic();
    const messageKey = await floeKdf(primitives, key, prefix, MESSAGE_KEY, ad, MESSAGE_KEY_BYTES);
    return new FloeReader(new FloeKeys(primitives, parameters, messageKey, prefix, ad));
  }

  /** Throws `authentication-failed` for anything but the segment of this place; nothing of it is released then. */
  async decryptSegment(segment: Uint8Array, position: number, last: boolean): Promise<Uint8Array> {
    const { primitives, parameters } = this.#keys;
    const { length } = segment;
    if (!Number.isInteger(position) || position < 0 || position >= MOST_SEGMENTS) throw notAuthentic();
    if (last ? length < FLOE_SEGMENT_OVERHEAD || length > parameters.segmentBytes : length !== parameters.segmentBytes)
      throw notAuthentic();
    if (readU32(segment) !== (last ? length : INTERNAL)) throw notAuthentic();
    const iv = segment.subarray(LENGTH_BYTES, LENGTH_BYTES + SEGMENT_IV_BYTES);
    const sealed = segment.subarray(LENGTH_BYTES + SEGMENT_IV_BYTES);
    const key = await this.#keys.segmentKey(position);
    return primitives.aes256gcm.open(key, iv, sealed, segmentAd(position, last));
  }
}

/** Opens one segment after the other: `startOnlineDecryption`. A message was whole when `closed` is true, and not before. */
export class FloeDecryptor {
  readonly #reader: FloeReader;
  #next = 0;
  #closed = false;

  constructor(reader: FloeReader) {
    this.#reader = reader;
  }

  /** The last segment was opened. */
  get closed(): boolean {
    return this.#closed;
  }

  /** `decryptAnyOnlineSegment`. Throws `authentication-failed`, and `closed` after the last one. */
  async decryptSegment(segment: Uint8Array): Promise<Uint8Array> {
    if (this.#closed) throw closed();
    const last = segment.length < LENGTH_BYTES || readU32(segment) !== INTERNAL;
    const plaintext = await this.#reader.decryptSegment(segment, this.#next++, last);
    this.#closed = last;
    return plaintext;
  }
}

/** `FLOE_KDF`: HKDF-Expand (RFC 5869 section 2.3) of at most 48 bytes is one block, which is one HMAC. */
async function floeKdf(
  primitives: FloePrimitives,
  key: Uint8Array,
  prefix: Uint8Array,
  purpose: Uint8Array,
  ad: Uint8Array,
  length: number,
): Promise<Uint8Array> {
  const block = await primitives.hmacSha384(key, concat(prefix, purpose, ad, Uint8Array.of(1)));
  return block.slice(0, length);
}

/** `PARAM_ENCODE`: AES-256-GCM and HKDF-Expand-SHA-384 are 0. */
function encodeParameters({ segmentBytes }: FloeParameters): Uint8Array {
  return concat(Uint8Array.of(0, 0), u32(segmentBytes), u32(IV_BYTES));
}

function segmentAd(position: number, last: boolean): Uint8Array {
  return concat(u64(position), Uint8Array.of(last ? 1 : 0));
}

function requireKey(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new CryptoError('bad-length', `FLOE: a key has ${KEY_BYTES} bytes`);
}

function notAuthentic(): CryptoError {
  return new CryptoError('authentication-failed', 'FLOE: not what was encrypted under this key at this place');
}

function closed(): CryptoError {
  return new CryptoError('closed', 'FLOE: nothing comes after the last segment');
}

function readU32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
