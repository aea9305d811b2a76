/**
 * Writes the protobuf wire format as much as Sealwire's schemas use: see `reader.ts`. What it writes is canonical: default
 * values left out, varints as short as they can be.
 */

import { WireError } from '../wire-error.ts';
import { allocate, takeRoom } from './slab.ts';

const VARINT = 0;
const BYTES = 2;

const encoder = new TextEncoder();

/** Copied by a loop, which is done before a call into V8's runtime has begun. */
const SHORT_BYTES = 64;

/** Tag and length of a frame's one outermost field are written into this room in front of it, once the length is known. */
const HEAD_ROOM = 8;

/** Writes one message. Default values (0, false, empty) are left out, as proto3 does. */
export class Writer {
  /** The message is written into these, from `begin` on, and grows up to `end`. */
  private buffer: Uint8Array<ArrayBuffer>;
  private begin: number;
  private end: number;
  private at: number;

  /** `sizeHint`: bytes expected, so that the buffer need not grow. */
  constructor(sizeHint = 128) {
    const { bytes, begin } = takeRoom(HEAD_ROOM + sizeHint);
    this.buffer = bytes;
    this.begin = begin + HEAD_ROOM;
    this.end = this.begin + sizeHint;
    this.at = this.begin;
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
    const { buffer, at } = this;
    if (value.length < SHORT_BYTES) for (let i = 0; i < value.length; i++) buffer[at + i] = value[i]!;
    else buffer.set(value, at);
    this.at += value.length;
    return this;
  }

  text(field: number, value: string): this {
    if (value.length === 0) return this;
    // Ids are ASCII nearly always: a loop is faster than a call into the encoder for them.
    this.head(field, value.length);
    this.reserve(value.length);
    const { buffer, at } = this;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.at -= sizeOfHead(field, value.length);
        return this.element(field, encoder.encode(value));
      }
      buffer[at + i] = code;
    }
    this.at += value.length;
    return this;
  }

  /** A nested message: what `write` writes into this writer. */
  message(field: number, write: () => void): this {
    this.reserve(10);
    this.raw(field * 8 + BYTES);
    // One byte for the length; the contents move up when it needs more. Counted from `begin`, which moves when the buffer grows.
    const before = ++this.at - this.begin;
    write();
    const length = this.at - this.begin - before;
    const more = sizeOfUint(length) - 1;
    if (more > 0) this.reserve(more);
    const start = this.begin + before;
    if (more > 0) this.buffer.copyWithin(start + more, start, this.at);
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
    return this.cut(this.begin, this.at);
  }

  /** The message as the one field `field` of an outer message: what a oneof of frames is. The writer must not be used after this. */
  finishAs(field: number): Uint8Array<ArrayBuffer> {
    const end = this.at;
    const length = end - this.begin;
    const start = this.begin - sizeOfHead(field, length);
    this.at = start;
    this.raw(field * 8 + BYTES);
    this.raw(length);
    return this.cut(start, end);
  }

  private cut(start: number, end: number): Uint8Array<ArrayBuffer> {
    // Not `subarray`: it asks for the class of what it cuts, which costs more than the cut.
    return new Uint8Array(this.buffer.buffer, start, end - start);
  }

  private raw(value: number): void {
    this.at = writeUint(this.buffer, this.at, value);
  }

  private reserve(more: number): void {
    if (this.at + more <= this.end) return;
    const length = this.at - this.begin;
    const larger = new Uint8Array(HEAD_ROOM + Math.max(length + more, 2 * (this.end - this.begin)));
    larger.set(this.buffer.subarray(this.begin, this.at), HEAD_ROOM);
    this.buffer = larger;
    this.begin = HEAD_ROOM;
    this.end = larger.length;
    this.at = HEAD_ROOM + length;
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
  const head = allocate(sizeOfHead(field, length));
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
