/**
 * The head of a mailbox: its counters, its gap, where its segments are while they are few, and one small segment itself.
 *
 * value: f64 (little-endian) session, last number, floor, messages, bytes, oldest, gap count, gap from, gap to, first number of the
 *        enclosed segment or 0, journaled · u8 gap reason · u8 listed segments, or 255: they are not listed · u32 segments with holes ·
 *        the listed segments, as in their keys · the value of the enclosed segment
 */
import type { GapRecord } from '../../port.ts';
import { readSuffix, type Segment, SUFFIX_BYTES, writeSuffix } from './segment.ts';

/** Beyond these a mailbox is a backlog, and its segments are found by their keys. */
const LISTED_SEGMENTS = 16;

/** So that a head stays in a leaf of the tree (half a page of 4 KiB, with the key) and needs no page of its own. */
const MOST_ENCLOSED_BYTES = 1_500;

const NOT_LISTED = 255;
const JOURNALED_AT = 10 * 8;
const FIXED_BYTES = JOURNALED_AT + 8 + 6;
const REASONS = ['expired', 'trimmed'] as const;

const scratch = Buffer.allocUnsafeSlow(FIXED_BYTES + LISTED_SEGMENTS * SUFFIX_BYTES + MOST_ENCLOSED_BYTES);

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
  /** The journal is contained up to this flight. */
  journaled = 0;
  /** How many segments have a bitmap of holes. */
  holed = 0;
  /** Ascending; undefined when they are too many to be listed. */
  segments: Segment[] | undefined = [];

  /** A segment whose value is in the head instead of in a record of its own. */
  enclosed: { readonly segment: Segment; readonly value: Buffer } | undefined;

  /** Lists the segment. */
  add(segment: Segment): void {
    if (this.segments && this.segments.length < LISTED_SEGMENTS) this.segments.push(segment);
    else this.segments = undefined;
  }

  /** Takes `value` in, if there is room; it is copied. */
  enclose(segment: Segment, value: Buffer): boolean {
    if (this.enclosed || !this.segments || value.length > MOST_ENCLOSED_BYTES) return false;
    this.enclosed = { segment, value: Buffer.from(value) };
    return true;
  }

  /** Takes the segment off the list. */
  remove({ first }: Segment): void {
    if (this.enclosed?.segment.first === first) this.enclosed = undefined;
    if (this.messages === 0) {
      this.segments = [];
      this.oldest = Number.POSITIVE_INFINITY;
    } else if (this.segments) this.segments = this.segments.filter((segment) => segment.first !== first);
  }

  /** Valid until the next call. */
  encode(): Buffer {
    const { gap, segments, enclosed } = this;
    scratch.writeDoubleLE(this.session, 0);
    scratch.writeDoubleLE(this.lastSeq, 8);
    scratch.writeDoubleLE(this.floor, 16);
    scratch.writeDoubleLE(this.messages, 24);
    scratch.writeDoubleLE(this.bytes, 32);
    scratch.writeDoubleLE(this.oldest, 40);
    scratch.writeDoubleLE(gap?.count ?? 0, 48);
    scratch.writeDoubleLE(gap?.fromSeq ?? 0, 56);
    scratch.writeDoubleLE(gap?.toSeq ?? 0, 64);
    scratch.writeDoubleLE(enclosed?.segment.first ?? 0, 72);
    scratch.writeDoubleLE(this.journaled, JOURNALED_AT);
    scratch.writeUInt8(gap ? REASONS.indexOf(gap.reason) : 0, 88);
    scratch.writeUInt8(segments?.length ?? NOT_LISTED, 89);
    scratch.writeUInt32LE(this.holed, 90);
    let offset = FIXED_BYTES;
    for (const segment of segments ?? []) {
      writeSuffix(segment, scratch, offset);
      offset += SUFFIX_BYTES;
    }
    if (enclosed) offset += enclosed.value.copy(scratch, offset);
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
      const reason = REASONS[bytes.readUInt8(88)] ?? 'expired';
      head.gap = { count, fromSeq: bytes.readDoubleLE(56), toSeq: bytes.readDoubleLE(64), reason };
    }
    head.journaled = bytes.readDoubleLE(JOURNALED_AT);
    head.holed = bytes.readUInt32LE(90);
    const listed = bytes.readUInt8(89);
    if (listed === NOT_LISTED) {
      head.segments = undefined;
      return head;
    }
    let offset = FIXED_BYTES;
    for (let i = 0; i < listed; i++, offset += SUFFIX_BYTES) head.segments?.push(readSuffix(bytes, offset));
    const first = bytes.readDoubleLE(72);
    const segment = head.segments?.find((one) => one.first === first);
    if (segment) head.enclosed = { segment, value: Buffer.from(bytes.subarray(offset, length)) };
    return head;
  }
}

/** The head as it is now, from one of schema 1, when there was no journal. */
export function withoutJournal(older: Buffer): Buffer {
  return Buffer.concat([older.subarray(0, JOURNALED_AT), Buffer.alloc(8), older.subarray(JOURNALED_AT)]);
}
