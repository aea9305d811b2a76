/**
 * The messages of one mailbox that are in segments, found by the keys of these; read only
 * (`segment-writer.ts` writes them). What lies behind `lastSeq` is of a checkpoint that this
 * mailbox does not know of yet.
 */
import { crc32 } from 'node:zlib';
import { StoreError } from '../../port.ts';
import type { Db } from '../environment.ts';
import { endOf, u48 } from '../records/keys.ts';
import { doubt, type MailboxHead } from './head.ts';
import { entriesOf, NO_TIME, type Segment, type SegmentEntry, segmentKey, segmentOf } from './segment.ts';

/** How many keys of a backlog are looked at together. */
const KEYS_AT_ONCE = 16;

export interface SettledMail {
  readonly seq: number;
  /** When it was taken, ms, or `NO_TIME`. */
  readonly at: number;
  readonly size: number;
  /** Of the sender; empty: not known. */
  readonly account: string;
  /** A copy of its body; undefined: it is damaged. */
  readonly body: () => Uint8Array | undefined;
}

export class SettledMails {
  readonly #db: Db;
  readonly #prefix: Buffer;
  /** Messages up to this number are here, or gone. */
  lastSeq: number;
  messages: number;
  bytes: number;
  /** No message is older than this (ms). */
  oldest: number;
  /** Lost, as the log says, though a segment has them. */
  readonly lost = new Set<number>();

  constructor(db: Db, prefix: Buffer, { settledSeq, messages, bytes, oldest }: MailboxHead) {
    this.#db = db;
    this.#prefix = prefix;
    this.lastSeq = settledSeq;
    this.messages = messages;
    this.bytes = bytes;
    this.oldest = oldest;
  }

  /** Ascending. */
  *after(seq: number): Generator<SettledMail> {
    for (const segment of segmentsAfter(this.#db, this.#prefix, seq)) {
      if (segment.first > this.lastSeq) return;
      yield* this.#in(segment, seq);
    }
  }

  /**
   * Those that were taken before `horizon` (ms), and those whose entries are damaged beside them,
   * ascending; `oldest` is exact afterwards, but for these.
   */
  *takenBefore(horizon: number, floor: number): Generator<SettledMail> {
    if (this.oldest >= horizon) return;
    let oldest = Number.POSITIVE_INFINITY;
    for (const segment of segmentsAfter(this.#db, this.#prefix, floor)) {
      if (segment.first > this.lastSeq) break;
      if (segment.oldest >= horizon) oldest = Math.min(oldest, segment.oldest);
      else
        for (const mail of this.#in(segment, floor))
          if (mail.at < horizon) yield mail;
          else oldest = Math.min(oldest, mail.at);
    }
    this.oldest = oldest;
  }

  /** What lies behind `floor` and up to `upTo` is acknowledged. */
  forget(floor: number, upTo: number): void {
    if (this.messages === 0) return;
    for (const segment of segmentsAfter(this.#db, this.#prefix, floor)) {
      if (segment.first > Math.min(upTo, this.lastSeq)) break;
      if (segment.first > floor && segment.last <= Math.min(upTo, this.lastSeq) && this.lost.size === 0)
        this.#discount(segment.count, segment.bytes);
      else
        for (const { seq, size } of this.#in(segment, floor)) {
          if (seq > upTo) break;
          this.#discount(1, size);
        }
    }
  }

  lose(seq: number, size: number): void {
    this.lost.add(seq);
    this.#discount(1, size);
  }

  /** Sums may have been off by what was damaged: an empty mailbox has nothing. */
  #discount(messages: number, bytes: number): void {
    this.messages = Math.max(this.messages - messages, 0);
    this.bytes = this.messages === 0 ? 0 : Math.max(this.bytes - bytes, 0);
    if (this.messages === 0) this.oldest = Number.POSITIVE_INFINITY;
  }

  *#in(segment: Segment, after: number): Generator<SettledMail> {
    const value = readSegment(this.#db, this.#prefix, segment);
    for (const entry of entriesOf(segment, value)) {
      if (entry.seq <= after || this.lost.has(entry.seq)) continue;
      if (entry.seq > this.lastSeq) return;
      if ('check' in entry) yield { ...entry, body: () => bodyOf(entry, value) };
      else yield { seq: entry.seq, at: NO_TIME, size: 0, account: '', body: () => undefined };
    }
  }
}

function bodyOf({ offset, size, check }: SegmentEntry, value: Buffer): Uint8Array | undefined {
  const body = value.subarray(offset, offset + size);
  return body.length === size && crc32(body) === check ? new Uint8Array(body) : undefined;
}

/**
 * The segments of the mailbox with this key prefix that reach beyond `seq`, ascending. They may
 * change meanwhile.
 */
export function* segmentsAfter(db: Db, prefix: Buffer, seq: number): Generator<Segment> {
  const end = endOf(prefix);
  let start = Buffer.concat([prefix, u48(seq + 1)]);
  for (;;) {
    // Collected first: a cursor must not see the changes that follow.
    const keys = [...db.getKeys({ start, end, limit: KEYS_AT_ONCE })];
    for (const key of keys) yield segmentOf(key);
    const last = keys[KEYS_AT_ONCE - 1];
    if (!last) return;
    start = Buffer.concat([last, Buffer.of(0)]);
  }
}

export function readSegment(db: Db, prefix: Buffer, segment: Segment): Buffer {
  const value = db.getBinary(segmentKey(prefix, segment));
  if (!value) throw new StoreError('corrupt', 'a segment of a mailbox is missing');
  return value;
}

/**
 * What the segments say of a mailbox whose head is damaged. The newest number is not known any more,
 * and neither is what was acknowledged: that comes again.
 */
export function headFromSegments(db: Db, prefix: Buffer, lsn: number, epoch: number): MailboxHead {
  let [messages, bytes, settledSeq] = [0, 0, 0];
  let oldest = Number.POSITIVE_INFINITY;
  for (const segment of segmentsAfter(db, prefix, 0)) {
    messages += segment.count;
    bytes += segment.bytes;
    oldest = Math.min(oldest, segment.oldest);
    settledSeq = segment.last;
  }
  const gap = settledSeq > 0 ? doubt(1, settledSeq) : undefined;
  return { session: 0, settledSeq, floor: 0, messages, bytes, oldest, gap, lsn, epoch };
}
