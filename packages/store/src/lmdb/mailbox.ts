/**
 * One mailbox: its head, and the messages that are only in the journal so far (docs/adr/0012-a-journal-before-the-mailboxes.md). What is
 * pushed, and what is acknowledged of that, needs no write here, because the journal says it; everything else settles the mailbox: the
 * messages become segments and the head is put.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { gapOf, mergeGaps } from '../gap.ts';
import { type GapRecord, type MailboxLimits, type MailboxPage, type StoredMail, StoreError } from '../port.ts';
import type { Db } from './environment.ts';
import type { Journal } from './journal.ts';
import type { JournalEntry } from './journal-record.ts';
import { endOf, prefixedKey, u48 } from './keys.ts';
import { MailboxHead } from './mailbox-head.ts';
import {
  bodyOf,
  encodeSegment,
  entriesOf,
  holesKey,
  type MailCopy,
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

/** How many keys of a backlog are looked at together. */
const KEYS_AT_ONCE = 64;

export class Mailbox {
  readonly head: MailboxHead;
  readonly #db: Db;
  readonly #prefix: Buffer;
  /** The newest messages, ascending without a gap: they are in the journal only. */
  #pending: MailCopy[] = [];
  readonly #expected = { messages: 0, bytes: 0 };
  /** The newest record of the journal that was repeated, or that the head contains. */
  #repeated: number;
  /** More has changed than the journal says. */
  #isUnsettled = false;

  private constructor(db: Db, prefix: Buffer, head: MailboxHead) {
    this.#db = db;
    this.#prefix = prefix;
    this.head = head;
    this.#repeated = head.journaled;
  }

  /** As head and journal say. Undefined when there is no such device: a mailbox comes and goes with it. */
  static open(db: Db, journal: Journal, device: DeviceId): Mailbox | undefined {
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
      if (entry.mail) this.push(entry.mail);
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

  /** Adds a message that the journal has; its sequence number. */
  push(mail: MailCopy): number {
    this.#pending.push(mail);
    const { head } = this;
    head.messages++;
    head.bytes += mail.size;
    head.oldest = Math.min(head.oldest, mail.at);
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
    if (head.messages > this.#pending.length) this.#forgetStored(upTo);
    const pending = upTo - (head.lastSeq - this.#pending.length);
    for (let i = 0; i < pending; i++) {
      head.messages--;
      head.bytes -= this.#pending[i]?.size ?? 0;
    }
    if (pending > 0) this.#pending.splice(0, pending);
    if (head.messages === 0) {
      head.oldest = Number.POSITIVE_INFINITY;
      head.segments ??= [];
    }
    head.floor = upTo;
    return true;
  }

  /** Forgets these, ascending; those that are not there do not matter. */
  forget(seqs: readonly number[]): void {
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

  /** At the end of this transaction its messages become segments, and the head is put. */
  settle(): void {
    this.#isUnsettled = true;
  }

  /** Settles what has to be, as of the journal's record `number`; true when something had. */
  write(number: number): boolean {
    if (!this.#isUnsettled) return false;
    this.#store();
    this.head.journaled = number;
    this.#db.putSync(this.#prefix, this.head.encode());
    this.#isUnsettled = false;
    return true;
  }

  #fits({ messages, bytes }: MailboxLimits): boolean {
    const { head } = this;
    return head.messages + this.#expected.messages <= messages && head.bytes + this.#expected.bytes <= bytes;
  }

  /** Forgets what is in segments up to `upTo`. */
  #forgetStored(upTo: number): void {
    const { head } = this;
    for (const segment of this.#segmentsFrom(head.floor + 1)) {
      if (segment.first > upTo) break;
      const end = segment.first + segment.count - 1;
      if (end <= upTo && segment.first > head.floor && head.holed === 0) {
        head.messages -= segment.count;
        head.bytes -= segment.bytes;
        this.#removeSegment(segment);
        continue;
      }
      let left = 0;
      for (const { seq, size } of this.#entries(segment)) {
        if (seq > upTo) {
          left++;
          continue;
        }
        head.messages--;
        head.bytes -= size;
      }
      if (left === 0) this.#removeSegment(segment);
    }
    this.#isUnsettled = true;
  }

  /** The pending messages become segments. */
  #store(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    const { head } = this;
    let first = head.lastSeq - pending.length + 1;
    for (let from = 0; from < pending.length; ) {
      let bytes = 0;
      let end = from;
      do bytes += pending[end++]?.size ?? 0;
      while (
        end < pending.length &&
        end - from < SEGMENT_MESSAGES &&
        bytes + (pending[end]?.size ?? 0) <= SEGMENT_BYTES
      );
      this.#addSegment({ first, count: end - from, bytes }, pending.slice(from, end));
      first += end - from;
      from = end;
    }
    this.#pending = [];
    this.#isUnsettled = true;
  }

  #addSegment(segment: Segment, mails: readonly MailCopy[]): void {
    const { head } = this;
    const value = encodeSegment(mails, segment.bytes);
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
      const mail = this.#pending[i] as MailCopy;
      yield { seq: first + i, at: mail.at, size: mail.size, copy: () => bodyOf(mail) };
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
