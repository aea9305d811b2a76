/** Big-endian fields, as LIME's messages have them. The reader never looks beyond its input: ask `has` first, or `take` throws. */
import { WireError } from './wire-error.ts';

export class BigEndianReader {
  private at = 0;

  constructor(
    private readonly input: Uint8Array,
    private readonly code: string,
  ) {}

  get left(): number {
    return this.input.length - this.at;
  }

  /** A view. */
  take(length: number): Uint8Array {
    if (length > this.left) throw this.tooShort();
    this.at += length;
    return this.input.subarray(this.at - length, this.at);
  }

  u8(): number {
    return this.number(1);
  }

  u16(): number {
    return this.number(2);
  }

  u32(): number {
    return this.number(4);
  }

  private number(length: number): number {
    if (length > this.left) throw this.tooShort();
    let value = 0;
    for (const end = this.at + length; this.at < end; this.at++) value = value * 0x100 + this.input[this.at]!;
    return value;
  }

  private tooShort(): WireError {
    return new WireError(this.code, 'shorter than its own counts demand');
  }
}

/** Takes byte fields by reference and lays all of them out at the end: one allocation a message. */
export class BigEndianWriter {
  private readonly fields: (number | Uint8Array)[] = [];
  /** Of the fields, in bytes. */
  private readonly lengths: number[] = [];
  private total = 0;

  raw(bytes: Uint8Array): this {
    return this.add(bytes, bytes.length);
  }

  u8(value: number): this {
    return this.add(value, 1);
  }

  u16(value: number): this {
    return this.add(value, 2);
  }

  u32(value: number): this {
    return this.add(value, 4);
  }

  finish(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.total);
    let at = 0;
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i]!;
      const end = at + this.lengths[i]!;
      if (typeof field !== 'number') whole.set(field, at);
      else for (let rest = field, last = end; last > at; rest >>>= 8) whole[--last] = rest;
      at = end;
    }
    return whole;
  }

  private add(field: number | Uint8Array, length: number): this {
    this.fields.push(field);
    this.lengths.push(length);
    this.total += length;
    return this;
  }
}
