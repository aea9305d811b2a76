/**
 * How a record's fields become bytes: one after the other, no tags, numbers as f64 little-endian,
 * byte strings and texts behind a u32 length. Which fields a record has is fixed by the store's
 * schema version (`environment.ts`).
 */
import { StoreError } from '../../port.ts';

const NUMBER_BYTES = 8;
const LENGTH_BYTES = 4;

export class RecordWriter {
  readonly #parts: Buffer[] = [];

  number(value: number): this {
    const part = Buffer.allocUnsafe(NUMBER_BYTES);
    part.writeDoubleLE(value);
    this.#parts.push(part);
    return this;
  }

  bytes(value: Uint8Array): this {
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32LE(value.length);
    this.#parts.push(length, Buffer.from(value));
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }

  list<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.number(items.length);
    for (const item of items) write(item);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Reads in the order of writing. Throws `corrupt` when the bytes end too early or too late. */
export class RecordReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    return this.#bytes.readDoubleLE(this.#advance(NUMBER_BYTES));
  }

  /** A copy. */
  bytes(): Uint8Array {
    const length = this.#bytes.readUInt32LE(this.#advance(LENGTH_BYTES));
    const start = this.#advance(length);
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length).slice();
  }

  text(): string {
    const length = this.#bytes.readUInt32LE(this.#advance(LENGTH_BYTES));
    const start = this.#advance(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  list<Item>(read: () => Item): Item[] {
    const items: Item[] = [];
    for (let left = this.number(); left > 0; left--) items.push(read());
    return items;
  }

  end(): void {
    if (this.#position !== this.#bytes.length) throw tooShortOrLong();
  }

  #advance(length: number): number {
    const start = this.#position;
    this.#position += length;
    if (this.#position > this.#bytes.length) throw tooShortOrLong();
    return start;
  }
}

function tooShortOrLong(): StoreError {
  return new StoreError('corrupt', 'a record of the store does not have the fields of its kind');
}
