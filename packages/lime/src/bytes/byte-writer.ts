/** Writes a record or a header of known size, all integers big endian. */
export class ByteWriter {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  u8(value: number): this {
    this.#bytes[this.#at++] = value;
    return this;
  }

  u16(value: number): this {
    return this.u8(value >>> 8).u8(value);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value);
  }

  /** Milliseconds since 1970 as u48: 32 bits end in 1970, 48 in the year 10889. */
  time(value: number): this {
    return this.u16(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** u16 length, then the bytes. */
  field(value: Uint8Array): this {
    return this.u16(value.length).bytes(value);
  }

  /** Throws when the size was computed wrongly: a record that is half zeros must never be stored. */
  finish(): Uint8Array {
    if (this.#at !== this.#bytes.length) throw new RangeError(`wrote ${this.#at} of ${this.#bytes.length} bytes`);
    return this.#bytes;
  }
}
