/** Reads a record or a message strictly: a short input and left-over bytes are errors of the kind that the caller chose. */
import { LimeError, type LimeErrorCode } from '../errors.ts';

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #errorCode: LimeErrorCode;
  readonly #what: string;
  #at = 0;

  /** `what` names the thing in error messages: "session record", "message". */
  constructor(bytes: Uint8Array, errorCode: LimeErrorCode, what: string) {
    // A Buffer's `slice` shares memory; a plain view does not.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#errorCode = errorCode;
    this.#what = what;
  }

  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    this.#need(1);
    return this.#bytes[this.#at++]!;
  }

  u16(): number {
    this.#need(2);
    return this.u8() * 0x100 + this.u8();
  }

  u32(): number {
    this.#need(4);
    return this.u16() * 0x10000 + this.u16();
  }

  /** u48 milliseconds since 1970. */
  time(): number {
    this.#need(6);
    return this.u16() * 2 ** 32 + this.u32();
  }

  /** A copy of the next `length` bytes, so that a small key does not keep a large record alive. */
  bytes(length: number): Uint8Array {
    this.#need(length);
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  /** u16 length, then the bytes. */
  field(): Uint8Array {
    return this.bytes(this.u16());
  }

  /** Throws when anything is left over. */
  end(): void {
    if (this.remaining !== 0) this.fail(`${this.remaining} bytes too many`);
  }

  fail(reason: string): never {
    throw new LimeError(this.#errorCode, `${this.#what}: ${reason}`);
  }

  #need(length: number): void {
    if (this.remaining < length) this.fail('too short');
  }
}
