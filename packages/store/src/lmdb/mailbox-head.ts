/**
 * The head of a mailbox: its counters, its gap, and where its segments are while they are few.
 *
 * value: f64 (little-endian) session, last number, floor, messages, bytes, oldest, gap count, gap from, gap to ·
 *        u8 gap reason · u8 1 if the segments are listed · u16 segments with holes · the listed segments, as in their keys
 */
import type { GapRecord } from '../port.ts';
import { readSuffix, type Segment, SUFFIX_BYTES, writeSuffix } from './segment.ts';

/** Beyond these a mailbox is a backlog, and its segments are found by their keys. */
const LISTED_SEGMENTS = 16;

const FIXED_BYTES = 9 * 8 + 4;
const REASONS = ['expired', 'trimmed'] as const;

const scratch = Buffer.allocUnsafeSlow(FIXED_BYTES + LISTED_SEGMENTS * SUFFIX_BYTES);

export class MailboxHead {
  /** The newest that was claimed. */
  session = 0;
  /** The newest sequence number given out. */
  lastSeq = 0;
  /** All up to this are gone. */
  floor = 0;
  messages = 0;
  bytes = 0;
  /** No message held is older than this (ms). */
  oldest = Number.POSITIVE_INFINITY;
  gap: GapRecord | undefined;
  /** How many segments have a bitmap of holes. */
  holed = 0;
  /** Ascending; undefined when they are too many to be listed. */
  segments: Segment[] | undefined = [];

  add(segment: Segment): void {
    if (this.segments && this.segments.length < LISTED_SEGMENTS) this.segments.push(segment);
    else this.segments = undefined;
  }

  remove({ first }: Segment): void {
    if (this.messages === 0) {
      this.segments = [];
      this.oldest = Number.POSITIVE_INFINITY;
    } else if (this.segments) this.segments = this.segments.filter((segment) => segment.first !== first);
  }

  /** Valid until the next call. */
  encode(): Buffer {
    const { gap, segments } = this;
    const numbers = [this.session, this.lastSeq, this.floor, this.messages, this.bytes, this.oldest];
    let offset = 0;
    for (const value of numbers) offset = scratch.writeDoubleLE(value, offset);
    offset = scratch.writeDoubleLE(gap?.count ?? 0, offset);
    offset = scratch.writeDoubleLE(gap?.fromSeq ?? 0, offset);
    offset = scratch.writeDoubleLE(gap?.toSeq ?? 0, offset);
    offset = scratch.writeUInt8(gap ? REASONS.indexOf(gap.reason) : 0, offset);
    offset = scratch.writeUInt8(segments ? 1 : 0, offset);
    offset = scratch.writeUInt16LE(this.holed, offset);
    for (const segment of segments ?? []) {
      writeSuffix(segment, scratch, offset);
      offset += SUFFIX_BYTES;
    }
    return scratch.subarray(0, offset);
  }

  /** `length` is given because a buffer of the database may be longer than the record in it. */
  static decode(bytes: Buffer, length: number): MailboxHead {
    const head = new MailboxHead();
    head.session = bytes.readDoubleLE(0);
    head.lastSeq = bytes.readDoubleLE(8);
    head.floor = bytes.readDoubleLE(16);
    head.messages = bytes.readDoubleLE(24);
    head.bytes = bytes.readDoubleLE(32);
    head.oldest = bytes.readDoubleLE(40);
    const count = bytes.readDoubleLE(48);
    if (count > 0) {
      const reason = REASONS[bytes.readUInt8(72)] ?? 'expired';
      head.gap = { count, fromSeq: bytes.readDoubleLE(56), toSeq: bytes.readDoubleLE(64), reason };
    }
    head.holed = bytes.readUInt16LE(74);
    if (bytes.readUInt8(73) === 0) head.segments = undefined;
    else
      for (let offset = FIXED_BYTES; offset < length; offset += SUFFIX_BYTES)
        head.segments?.push(readSuffix(bytes, offset));
    return head;
  }
}
