/**
 * A segment: messages that one mailbox got in one commit, as one LMDB record (docs/adr/0002-mailbox-layout.md).
 *
 * key:   device id, 0, u48 first sequence number, u16 messages, u32 bytes of all bodies     (big-endian: keys sort by first number)
 * value: for each message f64 when it was taken, u32 length of its body (little-endian) · then the bodies
 * holes: the same key, 1 → a bitmap of the messages that were acknowledged one by one; absent: none
 *
 * The key tells all that acknowledging a whole segment needs, so that its value is never read for that.
 */
import type { PendingMails } from './unsettled-mails.ts';

export interface Segment {
  readonly first: number;
  readonly count: number;
  /** Of all bodies. */
  readonly bytes: number;
}

/** Where a segment is cut: long enough for a burst, short enough to be read for one message of it. */
export const SEGMENT_MESSAGES = 256;
export const SEGMENT_BYTES = 64 * 1024;

export const SUFFIX_BYTES = 12;
const ENTRY_BYTES = 12;
const HOLES_MARK = Buffer.of(1);

export function writeSuffix({ first, count, bytes }: Segment, target: Buffer, offset: number): void {
  target.writeUIntBE(first, offset, 6);
  target.writeUInt16BE(count, offset + 6);
  target.writeUInt32BE(bytes, offset + 8);
}

export function readSuffix(source: Buffer, offset: number): Segment {
  return {
    first: source.readUIntBE(offset, 6),
    count: source.readUInt16BE(offset + 6),
    bytes: source.readUInt32BE(offset + 8),
  };
}

export function segmentKey(prefix: Buffer, segment: Segment): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + SUFFIX_BYTES);
  prefix.copy(key);
  writeSuffix(segment, key, prefix.length);
  return key;
}

export function holesKey(key: Buffer): Buffer {
  return Buffer.concat([key, HOLES_MARK]);
}

// One array for all values, because LMDB copies them at once: a new one for each would cost an address look-up in the native code.
let scratch = Buffer.allocUnsafeSlow(2 * SEGMENT_BYTES);

/** The value of a segment of the mails from `from` to `end`, valid until the next call. `bytes` is the sum of their sizes. */
export function encodeSegment(mails: PendingMails, from: number, end: number, bytes: number): Buffer {
  const heads = (end - from) * ENTRY_BYTES;
  if (heads + bytes > scratch.length) scratch = Buffer.allocUnsafeSlow(heads + bytes);
  let body = heads;
  for (let i = from; i < end; i++) {
    const entry = (i - from) * ENTRY_BYTES;
    scratch.writeDoubleLE(mails.at(i), entry);
    scratch.writeUInt32LE(mails.size(i), entry + 8);
    body = mails.copy(i, scratch, body);
  }
  return scratch.subarray(0, body);
}

export interface SegmentEntry {
  readonly seq: number;
  readonly at: number;
  readonly size: number;
  /** Where the body begins in the value. */
  readonly offset: number;
}

/** The messages of a segment that are still there, ascending. `holes` is its bitmap, if it has one. */
export function* entriesOf(
  { first, count }: Segment,
  value: Buffer,
  holes: Buffer | undefined,
): Generator<SegmentEntry> {
  let offset = count * ENTRY_BYTES;
  for (let i = 0; i < count; i++) {
    const size = value.readUInt32LE(i * ENTRY_BYTES + 8);
    if (!holes || !isHole(holes, i)) yield { seq: first + i, at: value.readDoubleLE(i * ENTRY_BYTES), size, offset };
    offset += size;
  }
}

export function noHoles({ count }: Segment): Buffer {
  return Buffer.alloc((count + 7) >> 3);
}

export function isHole(holes: Buffer, index: number): boolean {
  return ((holes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

export function markHole(holes: Buffer, index: number): void {
  holes[index >> 3] = (holes[index >> 3] ?? 0) | (1 << (index & 7));
}
