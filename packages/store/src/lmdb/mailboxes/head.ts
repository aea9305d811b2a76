/**
 * The head of a mailbox: what its last checkpoint knew. Messages that only the log has do not count
 * here.
 *
 * value: f64 (little-endian) session, settled number, floor, messages, bytes, oldest, gap count,
 *        gap from, gap to (0: there is none), LSN, epoch · u8 gap reason · u32 CRC-32 of all that
 */
import { crc32 } from 'node:zlib';
import { mergeGaps } from '../../gap.ts';
import type { GapRecord } from '../../port.ts';

const OLDEST_AT = 5 * 8;
const REASON_AT = 11 * 8;
const CHECK_AT = REASON_AT + 1;
/** No head of another schema has this length (`upgrade/`). */
export const HEAD_BYTES = CHECK_AT + 4;
const REASONS = ['expired', 'trimmed', 'damaged'] as const;

/**
 * Numbers that a mailbox skips when the log was damaged: more than a ring of 256 MiB has rows, so
 * that none is given twice (docs/adr/0023-damage-is-told.md).
 */
export const SKIPPED_SEQS = 1 << 24;

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
  /** How often the log had been damaged (`CommitLog.epoch`). */
  readonly epoch: number;
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
  epoch: 0,
};

// One array for all, because LMDB copies it at once.
const scratch = Buffer.alloc(HEAD_BYTES);

/** Valid until the next call. */
export function encodeHead(head: MailboxHead): Buffer {
  const { session, settledSeq, floor, messages, bytes, oldest, gap, lsn, epoch } = head;
  const { count = 0, fromSeq = 0, toSeq = 0, reason = 'expired' } = gap ?? {};
  let at = 0;
  for (const number of [session, settledSeq, floor, messages, bytes, oldest, count, fromSeq, toSeq, lsn, epoch])
    at = scratch.writeDoubleLE(number, at);
  scratch.writeUInt8(REASONS.indexOf(reason), at);
  scratch.writeUInt32LE(crc32(scratch.subarray(0, CHECK_AT)), CHECK_AT);
  return scratch;
}

/** Undefined: it is damaged. */
export function decodeHead(record: Buffer): MailboxHead | undefined {
  if (record.length !== HEAD_BYTES || crc32(record.subarray(0, CHECK_AT)) !== record.readUInt32LE(CHECK_AT))
    return undefined;
  const number = (index: number) => record.readDoubleLE(index * 8);
  const reason = REASONS[record.readUInt8(REASON_AT)] ?? 'expired';
  return {
    session: number(0),
    settledSeq: number(1),
    floor: number(2),
    messages: number(3),
    bytes: number(4),
    oldest: oldestOf(record),
    gap: number(8) > 0 ? { count: number(6), fromSeq: number(7), toSeq: number(8), reason } : undefined,
    lsn: number(9),
    epoch: number(10),
  };
}

/** Of a head that is not decoded otherwise; what a damaged one says is no number that counts. */
export function oldestOf(record: Buffer): number {
  return record.length === HEAD_BYTES ? record.readDoubleLE(OLDEST_AT) : Number.NEGATIVE_INFINITY;
}

/**
 * The head in `epoch`: for each time that the log was damaged since it was written, messages may
 * have had numbers that nobody knows any more. They are skipped, and told of.
 */
export function inEpoch(head: MailboxHead, epoch: number): MailboxHead {
  const skipped = (epoch - head.epoch) * SKIPPED_SEQS;
  if (skipped <= 0) return head;
  const settledSeq = head.settledSeq + skipped;
  return { ...head, epoch, settledSeq, gap: mergeGaps(head.gap, doubt(head.settledSeq + 1, settledSeq)) };
}

/** Messages with numbers between the two may be missing. */
export function doubt(fromSeq: number, toSeq: number): GapRecord {
  return { count: 0, fromSeq, toSeq, reason: 'damaged' };
}
