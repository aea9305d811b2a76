/**
 * A mailbox of schema 3 becomes one of today's.
 *
 * head:    f64 (little-endian) session, last number, floor, messages, bytes, oldest, gap count, gap
 *          from, gap to, first number of the enclosed segment or 0, LSN · u8 gap reason · u8 listed
 *          segments, or 255: they are not listed · u32 segments with holes · the listed segments,
 *          as in their keys · the value of the enclosed segment
 * segment: key: device id, 0, u48 first sequence number, u16 messages, u32 bytes (big-endian) ·
 *          value: for each message f64 when it was taken, u32 length of its body (little-endian),
 *          then the bodies · holes: the same key, 1 → a bitmap of messages that are not there any
 *          more
 */
import type { Db } from '../environment.ts';
import { encodeHead } from '../mailboxes/head.ts';
import type { SegmentMail } from '../mailboxes/segment.ts';
import { writeSegments } from '../mailboxes/segment-writer.ts';
import { keysUnder } from '../records/keys.ts';

const FIXED_BYTES = 94;
const SUFFIX_BYTES = 12;
const ENTRY_BYTES = 12;
const NOT_LISTED = 255;
const REASONS = ['expired', 'trimmed'] as const;

/** Inside a transaction. How many bytes its messages have. */
export function upgradeMailbox3(db: Db, prefix: Buffer, head: Buffer): number {
  const number = (index: number) => head.readDoubleLE(index * 8);
  const floor = number(2);
  let messages = 0;
  let bytes = 0;
  let oldest = Number.POSITIVE_INFINITY;
  for (const { suffix, value, holes } of segmentsOf(db, prefix, head)) {
    const mails = mailsOf(suffix, value, holes).filter(({ seq }) => seq > floor);
    writeSegments(db, prefix, mails);
    for (const { at, size } of mails) {
      messages++;
      bytes += size;
      oldest = Math.min(oldest, at);
    }
  }
  const reason = REASONS[head.readUInt8(88)] ?? 'expired';
  const gap = number(6) > 0 ? { count: number(6), fromSeq: number(7), toSeq: number(8), reason } : undefined;
  const settledSeq = number(1);
  db.putSync(
    prefix,
    encodeHead({ session: number(0), settledSeq, floor, messages, bytes, oldest, gap, lsn: 0, epoch: 0 }),
  );
  return bytes;
}

interface OlderSegment {
  readonly suffix: Buffer;
  readonly value: Buffer;
  readonly holes: Buffer | undefined;
}

/** Ascending; each is removed when it is handed out. */
function* segmentsOf(db: Db, prefix: Buffer, head: Buffer): Generator<OlderSegment> {
  const enclosed = enclosedIn(head);
  const keys = keysUnder(db, prefix).filter((key) => key.length > prefix.length);
  const suffixes = keys.map((key) => key.subarray(prefix.length)).filter(({ length }) => length === SUFFIX_BYTES);
  if (enclosed) suffixes.push(enclosed.suffix);
  for (const suffix of suffixes.sort(Buffer.compare)) {
    const key = Buffer.concat([prefix, suffix]);
    const value = enclosed?.suffix.equals(suffix) ? enclosed.value : (db.getBinary(key) as Buffer);
    const holes = db.getBinary(Buffer.concat([key, Buffer.of(1)]));
    db.removeSync(key);
    db.removeSync(Buffer.concat([key, Buffer.of(1)]));
    yield { suffix, value, holes };
  }
}

function enclosedIn(head: Buffer): Pick<OlderSegment, 'suffix' | 'value'> | undefined {
  const first = head.readDoubleLE(72);
  const listed = head.readUInt8(89);
  if (listed === NOT_LISTED || first === 0) return undefined;
  const end = FIXED_BYTES + listed * SUFFIX_BYTES;
  for (let at = FIXED_BYTES; at < end; at += SUFFIX_BYTES)
    if (head.readUIntBE(at, 6) === first)
      return { suffix: head.subarray(at, at + SUFFIX_BYTES), value: head.subarray(end) };
  return undefined;
}

/** Who sent them nobody wrote down. */
function mailsOf(suffix: Buffer, value: Buffer, holes: Buffer | undefined): SegmentMail[] {
  const mails: SegmentMail[] = [];
  const count = suffix.readUInt16BE(6);
  let offset = count * ENTRY_BYTES;
  for (let i = 0; i < count; i++) {
    const size = value.readUInt32LE(i * ENTRY_BYTES + 8);
    const body = value.subarray(offset, offset + size);
    const isHole = ((holes?.[i >> 3] ?? 0) & (1 << (i & 7))) !== 0;
    if (!isHole)
      mails.push({
        seq: suffix.readUIntBE(0, 6) + i,
        at: value.readDoubleLE(i * ENTRY_BYTES),
        size,
        account: '',
        copy: (target, at) => body.copy(target, at),
      });
    offset += size;
  }
  return mails;
}
