/**
 * The head of a mailbox: what its last checkpoint knew. Messages that only the log has do not count
 * here.
 *
 * value: f64 (little-endian) session, settled number, floor, messages, bytes, oldest, gap count,
 *        gap from, gap to, LSN · u8 gap reason
 */
import type { GapRecord } from '../../port.ts';

const OLDEST_AT = 5 * 8;
const REASON_AT = 10 * 8;
/** No head of schema 3 is this short (`upgrade.ts`). */
export const HEAD_BYTES = REASON_AT + 1;
const REASONS = ['expired', 'trimmed'] as const;

export interface MailboxHead {
  /** The newest that was claimed. */
  readonly session: number;
  /** Messages up to this number are in segments, or gone. */
  readonly settledSeq: number;
  /** All up to this are acknowledged. */
  readonly floor: number;
  /** In segments. */
  readonly messages: number;
  readonly bytes: number;
  /** No message in a segment is older than this (ms). */
  readonly oldest: number;
  readonly gap: GapRecord | undefined;
  /** Losses up to this commit are in the gap, and gone from the segments. */
  readonly lsn: number;
}

export const EMPTY_HEAD: MailboxHead = {
  session: 0,
  settledSeq: 0,
  floor: 0,
  messages: 0,
  bytes: 0,
  oldest: Number.POSITIVE_INFINITY,
  gap: undefined,
  lsn: 0,
};

// One array for all, because LMDB copies it at once.
const scratch = Buffer.alloc(HEAD_BYTES);

/** Valid until the next call. */
export function encodeHead({ session, settledSeq, floor, messages, bytes, oldest, gap, lsn }: MailboxHead): Buffer {
  const { count = 0, fromSeq = 0, toSeq = 0, reason = 'expired' } = gap ?? {};
  let at = 0;
  for (const number of [session, settledSeq, floor, messages, bytes, oldest, count, fromSeq, toSeq, lsn])
    at = scratch.writeDoubleLE(number, at);
  scratch.writeUInt8(REASONS.indexOf(reason), at);
  return scratch;
}

export function decodeHead(record: Buffer): MailboxHead {
  const number = (index: number) => record.readDoubleLE(index * 8);
  const reason = REASONS[record.readUInt8(REASON_AT)] ?? 'expired';
  return {
    session: number(0),
    settledSeq: number(1),
    floor: number(2),
    messages: number(3),
    bytes: number(4),
    oldest: oldestOf(record),
    gap: number(6) > 0 ? { count: number(6), fromSeq: number(7), toSeq: number(8), reason } : undefined,
    lsn: number(9),
  };
}

/** Of a head that is not decoded otherwise. */
export function oldestOf(record: Buffer): number {
  return record.readDoubleLE(OLDEST_AT);
}
