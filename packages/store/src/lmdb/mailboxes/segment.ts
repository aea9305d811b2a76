/**
 * A segment: messages of one mailbox that a checkpoint took over from the log, as one LMDB record
 * (docs/adr/0002-mailbox-layout.md).
 *
 * key:   device id, 0, u48 last sequence number, u48 first, u48 oldest (ms), u16 messages, u32
 *        bytes of all bodies (big-endian: keys sort by number)
 * value: u16 accounts, for each u16 length, address · for each message u48 sequence number, f64
 *        when it was taken, u32 length of its body, u16 which account sent it (little-endian) ·
 *        then the bodies
 *
 * The key tells all that acknowledging a whole segment needs, so that its value is never read for
 * that.
 */

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
const ENTRY_BYTES = 20;

/** A message for a segment. */
export interface SegmentMail {
  readonly seq: number;
  readonly at: number;
  readonly size: number;
  /** Empty: not known. */
  readonly account: string;
  /** Copies its body to `at` of `target`. */
  copy(target: Buffer, at: number): void;
}

export interface SegmentEntry {
  readonly seq: number;
  readonly at: number;
  readonly size: number;
  readonly account: string;
  /** Where the body begins in the value. */
  readonly offset: number;
}

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
  let length = 2;
  for (const { at, size, account } of mails) {
    bytes += size;
    oldest = Math.min(oldest, at);
    if (accounts.has(account)) continue;
    accounts.set(account, accounts.size);
    length += 2 + Buffer.byteLength(account);
  }
  let body = length + mails.length * ENTRY_BYTES;
  if (body + bytes > scratch.length) scratch = Buffer.allocUnsafeSlow(body + bytes);
  let at = scratch.writeUInt16LE(accounts.size, 0);
  for (const account of accounts.keys()) {
    const written = scratch.write(account, at + 2);
    scratch.writeUInt16LE(written, at);
    at += 2 + written;
  }
  for (const mail of mails) {
    at = scratch.writeUIntLE(mail.seq, at, 6);
    at = scratch.writeDoubleLE(mail.at, at);
    at = scratch.writeUInt32LE(mail.size, at);
    at = scratch.writeUInt16LE(accounts.get(mail.account) as number, at);
    mail.copy(scratch, body);
    body += mail.size;
  }
  const first = (mails[0] as SegmentMail).seq;
  const last = (mails.at(-1) as SegmentMail).seq;
  const segment = { first, last, oldest: Math.max(Math.floor(oldest), 0), count: mails.length, bytes };
  return { segment, value: scratch.subarray(0, body) };
}

/** The messages of a segment, ascending. */
export function* entriesOf({ count }: Segment, value: Buffer): Generator<SegmentEntry> {
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
    const account = accounts[value.readUInt16LE(at + 18)] as string;
    yield { seq: value.readUIntLE(at, 6), at: value.readDoubleLE(at + 6), size, account, offset };
    offset += size;
  }
}
