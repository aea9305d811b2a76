/**
 * One mailbox: its head, and the messages that are only in the journal so far (docs/adr/0012-a-journal-before-the-mailboxes.md). What is
 * pushed, and up to where all is acknowledged, needs no write here, because the journal says it; everything else settles the mailbox:
 * messages become segments, segments that are acknowledged go, and the head is put.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { gapOf, mergeGaps } from '../../gap.ts';
import { type GapRecord, type MailboxLimits, type MailboxPage, type StoredMail, StoreError } from '../../port.ts';
import type { Db } from '../environment.ts';
import type { Journal } from '../log/commit-log.ts';
import { entryOf, type JournalEntry, sizeOf, timeOf } from '../log/log-record.ts';
import { endOf, prefixedKey, u48 } from '../records/keys.ts';
import { MailboxHead } from './head.ts';
import {
  encodeSegment,
  entriesOf,
  holesKey,
  markHole,
  noHoles,
  readSuffix,
  SEGMENT_BYTES,
  SEGMENT_MESSAGES,
  type Segment,
  type SegmentEntry,
  SUFFIX_BYTES,
  segmentKey,
} from './segment.ts';
import { PendingMails } from './unsettled-mails.ts';

/** How many keys of a backlog are looked at together. */
const KEYS_AT_ONCE = 64;

export class Mailbox {
  readonly head: MailboxHead;
  /** Something of it may have changed in this transaction (`mailbag.ts`). */
  isTouched = false;
  readonly #db: Db;
  readonly #prefix: Buffer;
  /** The newest messages, ascending without a gap: they are in the journal only. */
  readonly #pending = new PendingMails();
  readonly #expected = { messages: 0, bytes: 0 };
  /** The newest flight of the journal that was repeated, or that the head contains. */
  #repeated: number;
  /** More has changed than the journal says, or it is to be settled. */
  #isUnsettled = false;
  #settleUpTo = 0;
  /** No segment lies below. */
  #removedUpTo: number;

  private constructor(db: Db, prefix: Buffer, head: MailboxHead) {
    this.#db = db;
    this.#prefix = prefix;
    this.head = head;
    this.#repeated = head.journaled;
    this.#removedUpTo = head.floor;
  }

  /** As head and journal say. Undefined when there is no such device: a mailbox comes and goes with it. */
  static open(db: Db, journal: Pick<Journal, 'entriesOf'>, device: DeviceId): Mailbox | undefined {
    const prefix = prefixedKey(device);
    const bytes = db.getBinaryFast(prefix);
    if (!bytes) return undefined;
    const mailbox = new Mailbox(db, prefix, MailboxHead.decode(bytes, bytes.length));
    mailbox.repeat(journal.entriesOf(device));
    return mailbox;
  }

  /** Does again what the journal says beyond what is known. */
  repeat(entries: readonly JournalEntry[]): void {
    // Nearly all are known when one page follows another.
    let next = entries.length;
    while (next > 0 && (entries[next - 1] as JournalEntry).number > this.#repeated) next--;
    for (; next < entries.length; next++) {
      const entry = entries[next] as JournalEntry;
      if (entry.part) this.push(entry.part, entry.row, entry.number);
      else this.forgetUpTo(entry.upTo);
      this.#repeated = entry.number;
    }
  }

  /** Announces a message of `size` bytes, which `push` adds unless something speaks against it. */
  expect(size: number): void {
    this.#expected.messages++;
    this.#expected.bytes += size;
  }

  expectNothing(): void {
    this.#expected.messages = 0;
    this.#expected.bytes = 0;
  }

  /**
   * Whether there is room for what is expected, or would be after `trim` if that is the policy. What was taken before `horizon` (ms)
   * gives way first: it is expired, only not swept yet.
   */
  hasRoom(horizon: number, limits: MailboxLimits): boolean {
    if (this.#fits(limits)) return true;
    this.expire(horizon);
    const { messages, bytes } = this.#expected;
    if (messages > limits.messages || bytes > limits.bytes) return false;
    return limits.whenFull === 'trim' || this.#fits(limits);
  }

  /** Adds the message of this row of a part of a flight; its sequence number. */
  push(part: Buffer, row: number, flight: number): number {
    this.#pending.push(part, row, flight);
    const { head } = this;
    head.messages++;
    head.bytes += sizeOf(part, row);
    head.oldest = Math.min(head.oldest, timeOf(part, entryOf(part, row)));
    return ++head.lastSeq;
  }

  claim(session: number): void {
    this.head.session = session;
    this.#isUnsettled = true;
  }

  /** Forgets all up to and including `seq`, which the journal says; false when there was nothing to say. */
  forgetUpTo(seq: number): boolean {
    const { head } = this;
    const upTo = Math.min(seq, head.lastSeq);
    if (upTo <= head.floor) return false;
    if (head.messages > this.#pending.length) this.#discountStored(upTo);
    const pending = upTo - (head.lastSeq - this.#pending.length);
    for (let i = 0; i < pending; i++) {
      head.messages--;
      head.bytes -= this.#pending.size(i);
    }
    if (pending > 0) this.#pending.drop(pending);
    if (head.messages === 0) head.oldest = Number.POSITIVE_INFINITY;
    head.floor = upTo;
    return true;
  }

  /** Forgets these, ascending; those that are not there do not matter. */
  forget(seqs: readonly number[]): void {
    // First what the list of segments will not have any more when the last of them goes.
    this.#removeForgotten();
    this.#store();
    const { head } = this;
    let next = 0;
    while (next < seqs.length) {
      const from = seqs[next] as number;
      const [segment] = from > head.floor && from <= head.lastSeq ? this.#segmentsFrom(from) : [];
      if (!segment || segment.first > from) {
        next++;
        continue;
      }
      const these = new Set<number>();
      for (; next < seqs.length && (seqs[next] as number) < segment.first + segment.count; next++)
        these.add(seqs[next] as number);
      this.#punch(segment, these);
    }
  }

  /** Loses the oldest messages until there is room for what is expected. */
  trim(limits: MailboxLimits): void {
    if (this.#fits(limits)) return;
    this.#store();
    const { head } = this;
    let messages = head.messages + this.#expected.messages - limits.messages;
    let bytes = head.bytes + this.#expected.bytes - limits.bytes;
    let gap: GapRecord | undefined;
    search: for (const segment of this.#segmentsFrom(head.floor + 1))
      for (const { seq, size } of this.#entries(segment)) {
        if (messages <= 0 && bytes <= 0) break search;
        messages--;
        bytes -= size;
        gap = mergeGaps(gap, gapOf(seq, 'trimmed'));
      }
    this.#lose(gap);
    if (gap) this.forgetUpTo(gap.toSeq);
    this.#isUnsettled = true;
  }

  /** Loses what was taken before `horizon` (ms); how many. */
  expire(horizon: number): number {
    const { head } = this;
    if (head.oldest >= horizon) return 0;
    this.#store();
    const expired: number[] = [];
    let gap: GapRecord | undefined;
    let oldest = Number.POSITIVE_INFINITY;
    for (const segment of this.#segmentsFrom(head.floor + 1))
      for (const { seq, at } of this.#entries(segment)) {
        if (at >= horizon) oldest = Math.min(oldest, at);
        else {
          expired.push(seq);
          gap = mergeGaps(gap, gapOf(seq, 'expired'));
        }
      }
    this.#lose(gap);
    this.forget(expired);
    head.oldest = oldest;
    this.#isUnsettled = true;
    return expired.length;
  }

  /** Forgets the gap if `isAcknowledged` says so of its last number. */
  closeGap(isAcknowledged: (seq: number) => boolean): void {
    if (!this.head.gap || !isAcknowledged(this.head.gap.toSeq)) return;
    this.head.gap = undefined;
    this.#isUnsettled = true;
  }

  /** See `Mailboxes.read`; `horizon` (ms) parts what is expired from what is not. */
  page(after: number, maxMessages: number, maxBytes: number, horizon: number): MailboxPage {
    const { lastSeq } = this.head;
    let { gap } = this.head;
    const mails: StoredMail[] = [];
    let bytes = 0;
    let end = true;
    for (const { seq, at, size, copy } of this.#messagesAfter(Math.max(after, this.head.floor))) {
      if (at < horizon) {
        gap = mergeGaps(gap, gapOf(seq, 'expired'));
        continue;
      }
      if (mails.length > 0 && (mails.length >= maxMessages || bytes + size > maxBytes)) {
        end = false;
        break;
      }
      bytes += size;
      mails.push({ seq, at, bytes: copy() });
    }
    return { mails, end, lastSeq, ...(gap && { gap }) };
  }

  /** Whether more has changed than the journal says. */
  get isUnsettled(): boolean {
    return this.#isUnsettled;
  }

  /**
   * At the end of this transaction of LMDB its head contains the journal up to `flight` at least: messages that came until then, and are
   * still there, become segments.
   */
  settle(flight: number): void {
    this.#settleUpTo = Math.max(this.#settleUpTo, flight);
    this.#isUnsettled = true;
  }

  /** Settles what has to be; true when something had. `flight`: the number of this transaction, all of which the mailbox knows. */
  write(flight: number): boolean {
    if (!this.#isUnsettled) return false;
    this.#removeForgotten();
    this.#store(this.#pending.countUpTo(this.#settleUpTo));
    const { first } = this.#pending;
    this.head.journaled = first ? first.flight - 1 : flight;
    this.#db.putSync(this.#prefix, first ? this.#headBefore(first.dropped) : this.head.encode());
    this.#isUnsettled = false;
    this.#settleUpTo = 0;
    return true;
  }

  /** The head as it was before the messages that are still pending, and `dropped` ones, came. */
  #headBefore(dropped: number): Buffer {
    const { head } = this;
    const pending = this.#pending;
    const { lastSeq, floor, messages, bytes } = head;
    head.lastSeq -= pending.length + dropped;
    head.floor = Math.min(floor, head.lastSeq);
    head.messages -= pending.length;
    for (let i = 0; i < pending.length; i++) head.bytes -= pending.size(i);
    const encoded = head.encode();
    Object.assign(head, { lastSeq, floor, messages, bytes });
    return encoded;
  }

  #fits({ messages, bytes }: MailboxLimits): boolean {
    const { head } = this;
    return head.messages + this.#expected.messages <= messages && head.bytes + this.#expected.bytes <= bytes;
  }

  /** What is in segments up to `upTo` does not count any more. The segments go when the mailbox is settled. */
  #discountStored(upTo: number): void {
    const { head } = this;
    for (const segment of this.#segmentsFrom(head.floor + 1)) {
      if (segment.first > upTo) break;
      if (segment.first + segment.count - 1 <= upTo && segment.first > head.floor && head.holed === 0) {
        head.messages -= segment.count;
        head.bytes -= segment.bytes;
        continue;
      }
      for (const { seq, size } of this.#entries(segment)) {
        if (seq > upTo) break;
        head.messages--;
        head.bytes -= size;
      }
    }
  }

  /** Removes the segments that lie below the floor. */
  #removeForgotten(): void {
    const { floor } = this.head;
    if (floor === this.#removedUpTo) return;
    for (const segment of this.#segmentsFrom(this.#removedUpTo + 1)) {
      if (segment.first + segment.count - 1 > floor) break;
      this.#removeSegment(segment);
    }
    this.#removedUpTo = floor;
    if (this.head.messages === this.#pending.length) this.head.segments ??= [];
  }

  /** The first `count` pending messages become segments. */
  #store(count = this.#pending.length): void {
    const pending = this.#pending;
    if (count === 0) return;
    const { head } = this;
    let first = head.lastSeq - pending.length + 1;
    for (let from = 0; from < count; ) {
      let bytes = 0;
      let end = from;
      do bytes += pending.size(end++);
      while (end < count && end - from < SEGMENT_MESSAGES && bytes + pending.size(end) <= SEGMENT_BYTES);
      const segment = { first, count: end - from, bytes };
      this.#addSegment(segment, encodeSegment(pending, from, end, bytes));
      first += end - from;
      from = end;
    }
    pending.drop(count);
    this.#isUnsettled = true;
  }

  #addSegment(segment: Segment, value: Buffer): void {
    const { head } = this;
    head.add(segment);
    if (!head.enclose(segment, value)) this.#db.putSync(segmentKey(this.#prefix, segment), value);
    if (!head.segments) this.#discharge();
  }

  /** A mailbox whose segments are no longer listed finds them by their keys, the enclosed one too. */
  #discharge(): void {
    const { enclosed } = this.head;
    if (!enclosed) return;
    this.head.enclosed = undefined;
    this.#db.putSync(segmentKey(this.#prefix, enclosed.segment), enclosed.value);
  }

  #lose(gap: GapRecord | undefined): void {
    this.head.gap = mergeGaps(this.head.gap, gap);
  }

  /** Forgets `seqs`, all of them of this segment. */
  #punch(segment: Segment, seqs: ReadonlySet<number>): void {
    const { head } = this;
    const before = this.#holesOf(segment);
    const holes = before ?? noHoles(segment);
    let forgotten = 0;
    let left = 0;
    for (const { seq, size } of this.#entries(segment)) {
      if (!seqs.has(seq)) {
        left++;
        continue;
      }
      markHole(holes, seq - segment.first);
      forgotten++;
      head.messages--;
      head.bytes -= size;
    }
    if (left === 0) this.#removeSegment(segment);
    else if (forgotten > 0) {
      this.#db.putSync(holesKey(segmentKey(this.#prefix, segment)), holes);
      if (!before) head.holed++;
    }
    this.#isUnsettled = true;
  }

  /** Its messages are subtracted already. */
  #removeSegment(segment: Segment): void {
    const { head } = this;
    if (head.enclosed?.segment.first !== segment.first) this.#db.removeSync(segmentKey(this.#prefix, segment));
    if (this.#holesOf(segment)) {
      this.#db.removeSync(holesKey(segmentKey(this.#prefix, segment)));
      head.holed--;
    }
    head.remove(segment);
  }

  /** The segments that reach `seq` or beyond, ascending. The mailbox may change meanwhile. */
  *#segmentsFrom(seq: number): Generator<Segment> {
    const listed = this.head.segments;
    if (listed) {
      for (const segment of [...listed]) if (segment.first + segment.count > seq) yield segment;
      return;
    }
    const end = endOf(this.#prefix);
    // A segment that reaches `seq` begins at most this much earlier.
    let start = Buffer.concat([this.#prefix, u48(Math.max(seq - SEGMENT_MESSAGES + 1, 0))]);
    for (;;) {
      // Collected first: a cursor must not see the changes that follow.
      const keys = [...this.#db.getKeys({ start, end, limit: KEYS_AT_ONCE })];
      for (const key of keys) {
        if (key.length !== this.#prefix.length + SUFFIX_BYTES) continue;
        const segment = readSuffix(key, this.#prefix.length);
        if (segment.first + segment.count > seq) yield segment;
      }
      const last = keys[KEYS_AT_ONCE - 1];
      if (!last) return;
      start = Buffer.concat([last, Buffer.of(0)]);
    }
  }

  /** What is left of a segment. Not to be interleaved with other reads: the value is a view that the next read overwrites. */
  *#entries(segment: Segment): Generator<SegmentEntry> {
    const { floor } = this.head;
    const holes = this.#holesOf(segment);
    for (const entry of entriesOf(segment, this.#valueOf(segment), holes)) if (entry.seq > floor) yield entry;
  }

  /** Those in segments, then those in the journal. */
  *#messagesAfter(after: number): Generator<{ seq: number; at: number; size: number; copy: () => Uint8Array }> {
    for (const segment of this.#segmentsFrom(after + 1)) {
      const holes = this.#holesOf(segment);
      const value = this.#valueOf(segment);
      for (const { seq, at, size, offset } of entriesOf(segment, value, holes))
        if (seq > after) yield { seq, at, size, copy: () => new Uint8Array(value.subarray(offset, offset + size)) };
    }
    const first = this.head.lastSeq - this.#pending.length + 1;
    for (let i = Math.max(after + 1 - first, 0); i < this.#pending.length; i++) {
      const size = this.#pending.size(i);
      const copy = () => {
        const body = new Uint8Array(size);
        this.#pending.copy(i, body, 0);
        return body;
      };
      yield { seq: first + i, at: this.#pending.at(i), size, copy };
    }
  }

  /** A copy. */
  #holesOf(segment: Segment): Buffer | undefined {
    if (this.head.holed === 0) return undefined;
    return this.#db.getBinary(holesKey(segmentKey(this.#prefix, segment)));
  }

  /** A view, until the next read. */
  #valueOf(segment: Segment): Buffer {
    const { enclosed } = this.head;
    if (enclosed?.segment.first === segment.first) return enclosed.value;
    const value = this.#db.getBinaryFast(segmentKey(this.#prefix, segment));
    if (!value) throw new StoreError('corrupt', 'a segment of a mailbox is missing');
    return value;
  }
}
