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
    if (length > this.left) throw new WireError(this.code, 'shorter than its own counts demand');
    this.at += length;
    return this.input.subarray(this.at - length, this.at);
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  u16(): number {
    return this.u8() * 0x100 + this.u8();
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16();
  }
}

export class BigEndianWriter {
  private readonly pieces: Uint8Array[] = [];

  raw(bytes: Uint8Array): this {
    this.pieces.push(bytes);
    return this;
  }

  u8(value: number): this {
    return this.raw(Uint8Array.of(value));
  }

  u16(value: number): this {
    return this.raw(Uint8Array.of(value >>> 8, value));
  }

  u32(value: number): this {
    return this.raw(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
  }

  finish(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of this.pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}
