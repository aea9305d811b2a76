/**
 * The protobuf wire format (https://protobuf.dev/programming-guides/encoding/), as much of it as Sealwire's schemas use:
 * varints, length-delimited fields, nested messages. docs/adr/0001-own-protobuf-codec.md says why it is ours.
 *
 * Strict where the format is lenient, because what reads is a server and what writes may be hostile: field number 0, groups, varints
 * beyond ten bytes, integers beyond 2^53 - 1, ill-formed UTF-8 and a known field of a foreign wire type are errors. Lenient where a
 * newer peer needs it: unknown fields are skipped. Nothing is allocated that the input does not already hold; byte fields are views.
 */
import { WireError } from '../wire-error.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const MAX_VARINT_BYTES = 10;
const MAX_TAG = 0xffff_ffff; // field numbers end at 2^29 - 1, with three bits of wire type

// A byte order mark is part of the text: ids are compared bytewise and must come back as they were.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads one message, and those nested in it, from front to back: `while (!done) switch (field()) { … default: skip(); }`.
 * Every failure is a `WireError` with the code given at construction.
 */
export class Reader {
  private at = 0;
  private end: number;
  /** Wire type of the field that `field` answered. A known field in a foreign one is refused: another decoder might read it. */
  private wireType = 0;

  constructor(
    private readonly input: Uint8Array,
    private readonly code: string,
  ) {
    this.end = input.length;
  }

  /** No field is left in the message that is being read. */
  get done(): boolean {
    return this.at >= this.end;
  }

  /** The number of the next field. */
  field(): number {
    const tag = this.varint();
    if (tag < 8 || tag > MAX_TAG) this.fail('impossible field number');
    this.wireType = tag % 8;
    return Math.floor(tag / 8);
  }

  /** A uint64 or enum, at most 2^53 - 1. */
  uint(): number {
    this.expect(VARINT);
    return this.varint();
  }

  /** A uint32: more is refused, not cut off. */
  uint32(): number {
    const value = this.uint();
    return value <= 0xffff_ffff ? value : this.fail('number beyond 2^32 - 1');
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  /** One of `values`, by its number. */
  choice<T>(values: readonly (T | undefined)[]): T {
    return values[this.uint()] ?? this.fail('unknown enum value');
  }

  /** A view of at most `maximum` bytes. */
  bytes(maximum: number): Uint8Array {
    const length = this.passBytes(maximum);
    const { buffer, byteOffset } = this.input;
    // Not `subarray`: it asks for the class of what it cuts, which costs more than the cut.
    return new Uint8Array(buffer, byteOffset + this.at - length, length);
  }

  /** What `parse` makes of a field of at most `maximum` bytes, from `start` to `end` of the input: no view is made. */
  within<T>(maximum: number, parse: (input: Uint8Array, start: number, end: number) => T): T {
    const length = this.passBytes(maximum);
    return parse(this.input, this.at - length, this.at);
  }

  /** Moves behind a field of bytes; its length. */
  private passBytes(maximum: number): number {
    this.expect(BYTES);
    const length = this.length();
    if (length > maximum) this.fail(`field larger than ${maximum} bytes`);
    this.at += length;
    return length;
  }

  /** Well-formed UTF-8 of at most `maximum` bytes. */
  text(maximum: number): string {
    const view = this.bytes(maximum);
    try {
      return utf8.decode(view);
    } catch {
      return this.fail('text is not UTF-8');
    }
  }

  /** What `parse` makes of a text of at most `maximum` bytes; its refusal becomes this reader's. */
  parsed<T>(parse: (text: string) => T, maximum: number): T {
    const text = this.text(maximum);
    try {
      return parse(text);
    } catch (error) {
      return this.fail((error as Error).message);
    }
  }

  /** Enters a nested message; hand the answer to `leave`. */
  enter(): number {
    this.expect(BYTES);
    const length = this.length();
    const outer = this.end;
    this.end = this.at + length;
    return outer;
  }

  /** Leaves a nested message, and passes over what is unread of it. */
  leave(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  /** Passes over the field that `field` answered. */
  skip(): void {
    if (this.wireType === BYTES) this.pass(this.length());
    else if (this.wireType === FIXED32) this.pass(4);
    else if (this.wireType === FIXED64) this.pass(8);
    else if (this.wireType === VARINT) this.passVarint();
    else this.fail('group or unknown wire type');
  }

  fail(what: string): never {
    throw new WireError(this.code, what);
  }

  private expect(wireType: number): void {
    if (this.wireType !== wireType) this.fail('field of a foreign wire type');
  }

  private byte(): number {
    if (this.at >= this.end) this.fail('ends in the middle of a field');
    return this.input[this.at++]!;
  }

  private varint(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 0x80;
    for (let i = 1; i < MAX_VARINT_BYTES; i++) {
      const byte = this.byte();
      // Exact up to 2^53; beyond it the sum may be rounded, but never back below 2^53.
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.fail('number beyond 2^53 - 1');
      scale *= 0x80;
    }
    return this.fail('varint beyond ten bytes');
  }

  private length(): number {
    const length = this.varint();
    if (length > this.end - this.at) this.fail('ends in the middle of a field');
    return length;
  }

  /** A number that nobody asks for may have all its 64 bits. */
  private passVarint(): void {
    for (let i = 0; i < MAX_VARINT_BYTES; i++) if (this.byte() < 0x80) return;
    this.fail('varint beyond ten bytes');
  }

  private pass(length: number): void {
    if (length > this.end - this.at) this.fail('ends in the middle of a field');
    this.at += length;
  }
}
