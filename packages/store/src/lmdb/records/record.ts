/**
 * How a record's fields become bytes: one after the other, no tags, numbers as f64 little-endian,
 * byte strings and texts behind a u32 length; at the end the u32 CRC-32 of all that. Which fields a
 * record has is fixed by the store's schema version (`environment.ts`).
 */
import { crc32 } from 'node:zlib';
import { StoreError } from '../../port.ts';

const NUMBER_BYTES = 8;
const LENGTH_BYTES = 4;
const CHECK_BYTES = 4;

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
    return withCheck(Buffer.concat(this.#parts));
  }
}

/**
 * Reads in the order of writing. Throws `corrupt` when a byte is damaged, or the bytes end too early
 * or too late.
 */
export class RecordReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    const checked = checkedPart(bytes);
    if (!checked) throw new StoreError('corrupt', 'a record of the store is damaged; see npm start -- verify');
    this.#bytes = checked;
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

/** `bytes` and their CRC-32. */
export function withCheck(bytes: Buffer): Buffer {
  const check = Buffer.allocUnsafe(CHECK_BYTES);
  check.writeUInt32LE(crc32(bytes));
  return Buffer.concat([bytes, check]);
}

/** What `withCheck` was given; undefined: it is damaged. */
export function checkedPart(record: Buffer): Buffer | undefined {
  // Zeros would be an empty one.
  if (record.length <= CHECK_BYTES) return undefined;
  const bytes = record.subarray(0, record.length - CHECK_BYTES);
  return crc32(bytes) === record.readUInt32LE(bytes.length) ? bytes : undefined;
}
