/**
 * A mailbox of schema 4 becomes one of today's.
 *
 * head:    f64 (little-endian) session, settled number, floor, messages, bytes, oldest, gap count,
 *          gap from, gap to, LSN · u8 gap reason
 * segment: key: as today's · value: u16 accounts, for each u16 length, address · for each message
 *          u48 sequence number, f64 when it was taken, u32 length of its body, u16 which account
 *          sent it (little-endian) · then the bodies
 */
import type { Db } from '../environment.ts';
import { encodeHead } from '../mailboxes/head.ts';
import { type Segment, type SegmentMail, segmentKey } from '../mailboxes/segment.ts';
import { writeSegments } from '../mailboxes/segment-writer.ts';
import { readSegment, segmentsAfter } from '../mailboxes/settled-mails.ts';

const REASON_AT = 10 * 8;
export const HEAD_4_BYTES = REASON_AT + 1;
const ENTRY_BYTES = 20;
const REASONS = ['expired', 'trimmed'] as const;

/** Inside a transaction. How many bytes its messages have. */
export function upgradeMailbox4(db: Db, prefix: Buffer, record: Buffer): number {
  for (const segment of [...segmentsAfter(db, prefix, 0)]) {
    const mails = [...mailsOf(segment, readSegment(db, prefix, segment))];
    db.removeSync(segmentKey(prefix, segment));
    writeSegments(db, prefix, mails);
  }
  const number = (index: number) => record.readDoubleLE(index * 8);
  const [session, settledSeq, floor, messages, bytes, oldest] = [0, 1, 2, 3, 4, 5].map(number) as SixNumbers;
  const reason = REASONS[record.readUInt8(REASON_AT)] ?? 'expired';
  const gap = number(6) > 0 ? { count: number(6), fromSeq: number(7), toSeq: number(8), reason } : undefined;
  const head = { session, settledSeq, floor, messages, bytes, oldest, gap, lsn: number(9), epoch: 0 };
  db.putSync(prefix, encodeHead(head));
  return bytes;
}

type SixNumbers = [number, number, number, number, number, number];

function* mailsOf({ count }: Segment, value: Buffer): Generator<SegmentMail> {
  const accounts: string[] = [];
  let at = 2;
  for (let left = value.readUInt16LE(0); left > 0; left--) {
    const end = at + 2 + value.readUInt16LE(at);
    accounts.push(value.toString('utf8', at + 2, end));
    at = end;
  }
  let offset = at + count * ENTRY_BYTES;
  for (let i = 0; i < count; i++, at += ENTRY_BYTES) {
    const size = value.readUInt32LE(at + 14);
    const account = accounts[value.readUInt16LE(at + 18)] ?? '';
    const body = value.subarray(offset, offset + size);
    const copy = (target: Buffer, to: number) => body.copy(target, to);
    yield { seq: value.readUIntLE(at, 6), at: value.readDoubleLE(at + 6), size, account, copy };
    offset += size;
  }
}
