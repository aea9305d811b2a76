/**
 * The protobuf wire format (https://protobuf.dev/programming-guides/encoding/), as much of it as Sealwire's schemas use:
 * varints, length-delimited fields, nested messages, packed numbers. docs/adr/0001-own-protobuf-codec.md says why it is ours.
 *
 * Strict where the format is lenient, because what reads is a server and what writes may be hostile: field number 0, groups, varints
 * beyond ten bytes, integers beyond 2^53 - 1, ill-formed UTF-8 and a known field of a foreign wire type are errors. Lenient where a
 * newer peer needs it: unknown fields are skipped. Nothing is allocated that the input does not already hold; byte fields are views.
 */
import { WireError } from './wire-error.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const MAX_VARINT_BYTES = 10;
const MAX_TAG = 0xffff_ffff; // field numbers end at 2^29 - 1, with three bits of wire type

// A byte order mark is part of the text: ids are compared bytewise and must come back as they were.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

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
  choice<T>(values: readonly T[]): T {
    return values[this.uint()] ?? this.fail('unknown enum value');
  }

  /** A view of at most `maximum` bytes. */
  bytes(maximum: number): Uint8Array {
    this.expect(BYTES);
    const length = this.length();
    if (length > maximum) this.fail(`field larger than ${maximum} bytes`);
    this.at += length;
    return this.input.subarray(this.at - length, this.at);
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

  /** Adds the numbers of a repeated field, packed or not, to `into`, which may come to hold `maximum`. */
  uints(into: number[], maximum: number): void {
    if (this.wireType === VARINT) {
      if (into.length >= maximum) this.fail(`more than ${maximum} numbers`);
      into.push(this.varint());
      return;
    }
    const outer = this.enter();
    while (!this.done) {
      if (into.length >= maximum) this.fail(`more than ${maximum} numbers`);
      into.push(this.varint());
    }
    this.leave(outer);
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

/** Tag and length of a frame's one outermost field are written into this room in front of it, once the length is known. */
const HEAD_ROOM = 8;

/** Writes one message. Default values (0, false, empty) are left out, as proto3 does. */
export class Writer {
  private buffer: Uint8Array<ArrayBuffer>;
  private at = HEAD_ROOM;

  /** `sizeHint`: bytes expected, so that the buffer need not grow. */
  constructor(sizeHint = 128) {
    this.buffer = new Uint8Array(HEAD_ROOM + sizeHint);
  }

  uint(field: number, value: number): this {
    if (value === 0) return this;
    this.reserve(15);
    this.raw(field * 8 + VARINT);
    this.raw(value);
    return this;
  }

  bool(field: number, value: boolean): this {
    return this.uint(field, value ? 1 : 0);
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.element(field, value);
  }

  /** Like `bytes`, but writes an empty value too: an element of a repeated field is there even if it is empty. */
  element(field: number, value: Uint8Array): this {
    this.head(field, value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
    return this;
  }

  text(field: number, value: string): this {
    if (value.length === 0) return this;
    // Ids are ASCII nearly always: a loop is faster than a call into the encoder for them.
    this.head(field, value.length);
    const start = this.at;
    this.reserve(value.length);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.at = start - sizeOfHead(field, value.length);
        return this.element(field, encoder.encode(value));
      }
      this.buffer[this.at++] = code;
    }
    return this;
  }

  /** Repeated numbers, packed. */
  packed(field: number, values: readonly number[]): this {
    if (values.length === 0) return this;
    return this.message(field, () => {
      for (const value of values) {
        this.reserve(10);
        this.raw(value);
      }
    });
  }

  /** A nested message: what `write` writes into this writer. */
  message(field: number, write: () => void): this {
    this.reserve(10);
    this.raw(field * 8 + BYTES);
    const start = ++this.at; // one byte for the length; the contents move up when it needs more
    write();
    const length = this.at - start;
    const more = sizeOfUint(length) - 1;
    if (more > 0) {
      this.reserve(more);
      this.buffer.copyWithin(start + more, start, this.at);
    }
    this.at = start - 1;
    this.raw(length);
    this.at += length;
    return this;
  }

  /** Tag and length of a field whose contents follow as a piece of their own. */
  head(field: number, length: number): this {
    this.reserve(15);
    this.raw(field * 8 + BYTES);
    this.raw(length);
    return this;
  }

  /** The message. The writer must not be used after this. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(HEAD_ROOM, this.at);
  }

  /** The message as the one field `field` of an outer message: what a oneof of frames is. The writer must not be used after this. */
  finishAs(field: number): Uint8Array<ArrayBuffer> {
    const end = this.at;
    const length = end - HEAD_ROOM;
    const start = HEAD_ROOM - sizeOfHead(field, length);
    this.at = start;
    this.raw(field * 8 + BYTES);
    this.raw(length);
    return this.buffer.subarray(start, end);
  }

  private raw(value: number): void {
    this.at = writeUint(this.buffer, this.at, value);
  }

  private reserve(more: number): void {
    const needed = this.at + more;
    if (needed <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.at));
    this.buffer = larger;
  }
}

/** Writes a varint at `at` and answers where it ends. Throws `bad-number` for what has none. */
export function writeUint(into: Uint8Array, at: number, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new WireError('bad-number', 'a number on the wire is a whole one from 0 to 2^53 - 1');
  let end = at;
  let rest = value;
  while (rest > 0x7fff_ffff) {
    into[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest > 0x7f) {
    into[end++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[end++] = rest;
  return end;
}

/** Tag and length of a field whose contents are sent as a piece of their own. */
export function headOf(field: number, length: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(sizeOfHead(field, length));
  writeUint(head, writeUint(head, 0, field * 8 + BYTES), length);
  return head;
}

/** Bytes of a varint. */
export function sizeOfUint(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Bytes of the tag and length of a field. */
export function sizeOfHead(field: number, length: number): number {
  return sizeOfUint(field * 8) + sizeOfUint(length);
}
