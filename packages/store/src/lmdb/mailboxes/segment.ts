/**
 * A segment: messages of one mailbox that a checkpoint took over from the log, as one LMDB record
 * (docs/adr/0002-mailbox-layout.md).
 *
 * key:   device id, 0, u48 last sequence number, u48 first, u48 oldest (ms), u16 messages, u32
 *        bytes of all bodies (big-endian: keys sort by number)
 * value: u16 messages · u32 CRC-32 of all entries · for each message an entry: u48 sequence number, f64 when it was taken, u32
 *        where its body begins in the value, u32 length of its body, u32 where its account begins
 *        in the value, u32 CRC-32 of the body, u32 CRC-32 of the entry before this · the accounts:
 *        u16 length, address, u32 CRC-32 of both · the bodies (little-endian)
 *
 * The key tells all that acknowledging a whole segment needs, so that its value is never read for
 * that. Entries stand by themselves: a damaged byte costs the one message that it belongs to. They
 * have one checksum together as well, because one look at all costs less than one at each.
 */
import { crc32 } from 'node:zlib';

export interface Segment {
  readonly first: number;
  readonly last: number;
  /** No message of it was taken earlier (ms). */
  readonly oldest: number;
  readonly count: number;
  /** Of all bodies. */
  readonly bytes: number;
}

/**
 * Where a segment is cut: long enough for a burst, short enough to be read for one message of it.
 */
export const SEGMENT_MESSAGES = 256;
export const SEGMENT_BYTES = 64 * 1024;

const SUFFIX_BYTES = 24;
const ENTRIES_CHECK_AT = 2;
const ENTRIES_AT = 6;
const OFFSET_AT = 14;
const SIZE_AT = 18;
const ACCOUNT_AT = 22;
const CHECK_AT = 26;
const ENTRY_CHECK_AT = 30;
const ENTRY_BYTES = 34;

/** A message for a segment. */
export interface SegmentMail {
  readonly seq: number;
  readonly at: number;
  readonly size: number;
  /** Empty: not known. */
  readonly account: string;
  /** Copies its body to `at` of `target`. */
  copy(target: Buffer, at: number): void;
  /** CRC-32 that its body should have, if it was written before: damage stays damage. */
  readonly check?: number;
}

export interface SegmentEntry {
  readonly seq: number;
  readonly at: number;
  readonly size: number;
  /** Empty: not known. */
  readonly account: string;
  /** Where the body begins in the value. */
  readonly offset: number;
  /** CRC-32 of the body. */
  readonly check: number;
}

/** Of which only the number is known: by its neighbours. */
export interface DamagedEntry {
  readonly seq: number;
}

/** It is not known when such a message was taken: older than all others, so that it goes first. */
export const NO_TIME = -1;

export function segmentKey(prefix: Buffer, { first, last, oldest, count, bytes }: Segment): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + SUFFIX_BYTES);
  prefix.copy(key);
  let at = key.writeUIntBE(last, prefix.length, 6);
  at = key.writeUIntBE(first, at, 6);
  at = key.writeUIntBE(oldest, at, 6);
  at = key.writeUInt16BE(count, at);
  key.writeUInt32BE(bytes, at);
  return key;
}

export function segmentOf(key: Buffer): Segment {
  const at = key.length - SUFFIX_BYTES;
  return {
    last: key.readUIntBE(at, 6),
    first: key.readUIntBE(at + 6, 6),
    oldest: key.readUIntBE(at + 12, 6),
    count: key.readUInt16BE(at + 18),
    bytes: key.readUInt32BE(at + 20),
  };
}

// One array for all values, because LMDB copies them at once: a new one for each would cost an
// address look-up in the native code.
let scratch = Buffer.allocUnsafeSlow(2 * SEGMENT_BYTES);

/**
 * The segment of these messages, ascending, at least one; the value is valid until the next call.
 */
export function encodeSegment(mails: readonly SegmentMail[]): { segment: Segment; value: Buffer } {
  const accounts = new Map<string, number>();
  let bytes = 0;
  let oldest = Number.POSITIVE_INFINITY;
  let body = ENTRIES_AT + mails.length * ENTRY_BYTES;
  for (const { at, size, account } of mails) {
    bytes += size;
    oldest = Math.min(oldest, at);
    if (accounts.has(account)) continue;
    accounts.set(account, body);
    body += 2 + Buffer.byteLength(account) + 4;
  }
  if (body + bytes > scratch.length) scratch = Buffer.allocUnsafeSlow(body + bytes);
  scratch.writeUInt16LE(mails.length, 0);
  for (const [account, from] of accounts) {
    const end = from + 2 + scratch.write(account, from + 2);
    scratch.writeUInt16LE(end - from - 2, from);
    scratch.writeUInt32LE(crc32(scratch.subarray(from, end)), end);
  }
  let entry = ENTRIES_AT;
  for (const mail of mails) {
    mail.copy(scratch, body);
    scratch.writeUIntLE(mail.seq, entry, 6);
    scratch.writeDoubleLE(mail.at, entry + 6);
    scratch.writeUInt32LE(body, entry + OFFSET_AT);
    scratch.writeUInt32LE(mail.size, entry + SIZE_AT);
    scratch.writeUInt32LE(accounts.get(mail.account) as number, entry + ACCOUNT_AT);
    const check = mail.check ?? crc32(scratch.subarray(body, body + mail.size));
    scratch.writeUInt32LE(check, entry + CHECK_AT);
    scratch.writeUInt32LE(crc32(scratch.subarray(entry, entry + ENTRY_CHECK_AT)), entry + ENTRY_CHECK_AT);
    body += mail.size;
    entry += ENTRY_BYTES;
  }
  scratch.writeUInt32LE(crc32(scratch.subarray(ENTRIES_AT, entry)), ENTRIES_CHECK_AT);
  const first = (mails[0] as SegmentMail).seq;
  const last = (mails.at(-1) as SegmentMail).seq;
  const segment = { first, last, oldest: Math.max(Math.floor(oldest), 0), count: mails.length, bytes };
  return { segment, value: scratch.subarray(0, body) };
}

/** The messages of a segment, ascending; of a damaged entry the number that it must have had. */
export function* entriesOf(segment: Segment, value: Buffer): Generator<SegmentEntry | DamagedEntry> {
  const [least, most] = countsOf(segment, value);
  const accounts = new Map<number, string>();
  const areWhole = least === most && areEntriesWhole(value, most);
  let previous = segment.first - 1;
  for (let i = 0; i < most; i++) {
    const entry = entryAt(value, ENTRIES_AT + i * ENTRY_BYTES, areWhole, accounts);
    if (!entry && i >= least) return;
    if (entry) previous = entry.seq;
    else previous++;
    yield entry ?? { seq: previous };
  }
}

/**
 * How many entries there are, at least and at most: key and value say the same unless one of them
 * is damaged.
 */
function countsOf({ count }: Segment, value: Buffer): [number, number] {
  const said = value.length < ENTRIES_AT ? 0 : value.readUInt16LE(0);
  return [Math.min(count, said), Math.max(count, said)];
}

function areEntriesWhole(value: Buffer, count: number): boolean {
  const end = ENTRIES_AT + count * ENTRY_BYTES;
  return end <= value.length && crc32(value.subarray(ENTRIES_AT, end)) === value.readUInt32LE(ENTRIES_CHECK_AT);
}

/** Undefined: it is damaged. */
function entryAt(value: Buffer, at: number, isWhole: boolean, accounts: Map<number, string>): SegmentEntry | undefined {
  if (at + ENTRY_BYTES > value.length) return undefined;
  if (!isWhole && crc32(value.subarray(at, at + ENTRY_CHECK_AT)) !== value.readUInt32LE(at + ENTRY_CHECK_AT))
    return undefined;
  const offset = value.readUInt32LE(at + OFFSET_AT);
  const size = value.readUInt32LE(at + SIZE_AT);
  const from = value.readUInt32LE(at + ACCOUNT_AT);
  let account = accounts.get(from);
  if (account === undefined) {
    account = accountAt(value, from);
    accounts.set(from, account);
  }
  const check = value.readUInt32LE(at + CHECK_AT);
  return { seq: value.readUIntLE(at, 6), at: value.readDoubleLE(at + 6), size, account, offset, check };
}

/** Empty: it is damaged. */
function accountAt(value: Buffer, at: number): string {
  const end = at + 2 <= value.length ? at + 2 + value.readUInt16LE(at) : value.length;
  if (end + 4 > value.length || crc32(value.subarray(at, end)) !== value.readUInt32LE(end)) return '';
  return value.toString('utf8', at + 2, end);
}
