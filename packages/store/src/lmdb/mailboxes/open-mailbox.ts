/**
 * One mailbox as commits change it. What it does it does to memory, and answers as a change that
 * the log must say; a checkpoint brings it to LMDB, later and without changing what is in memory
 * until that is durable.
 */
import type { GapRecord, MailboxLimits, Room } from '../../port.ts';
import { accountOfRow, type LostMail, type MailboxChange, setSeq, sizeOf } from '../log/log-record.ts';
import { encodeHead, SKIPPED_SEQS } from './head.ts';
import { Mailbox } from './mailbox.ts';
import { NO_TIME } from './segment.ts';
import { removeAcknowledged, removeLost, writeSegments } from './segment-writer.ts';
import { Shares } from './shares.ts';

export type Loss = Extract<MailboxChange, { readonly lost: readonly LostMail[] }>;

export class OpenMailbox extends Mailbox {
  /** As its newest head says. */
  #hasSegments = this.settled.messages > 0;
  readonly #expected = { messages: 0, bytes: 0 };
  /** Once it was found full. */
  #shares: Shares | undefined;
  /** A checkpoint on its way to the disk takes over what it has up to this number … */
  #settling: number | undefined;
  /** … without these, which were lost before. */
  #removed: readonly number[] = [];

  /**
   * `highest`: no message of any mailbox has a higher number. Undefined: the newest number of this
   * one is known; otherwise it goes on where nobody has been.
   */
  resume(highest: number, lsn: number): MailboxChange | undefined {
    if (this.knowsSeq) return undefined;
    const change = { what: 'resumed', upTo: highest + SKIPPED_SEQS } as const;
    this.change(change, lsn);
    return change;
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

  /** Whether there is room for what is expected. */
  fits({ messages, bytes }: Room): boolean {
    return this.messages + this.#expected.messages <= messages && this.bytes + this.#expected.bytes <= bytes;
  }

  /**
   * Whether there is room for what is expected, or some could be made: what was taken before
   * `horizon` (ms) is expired, only not swept yet, and gives way first. What is lost is added to
   * `changes`.
   */
  makeRoom(horizon: number, limits: MailboxLimits, lsn: number, changes: MailboxChange[]): boolean {
    if (this.fits(limits)) return true;
    for (const loss of this.expire(horizon, lsn)) changes.push(loss);
    if (this.fits(limits)) return true;
    const { messages, bytes } = this.#expected;
    if (messages > limits.messages || bytes > limits.bytes || limits.whenFull === 'refuse') return false;
    this.#shares ??= new Shares((seq) => this.mailsAfter(Math.max(seq, this.floor)), limits);
    const lost: LostMail[] = [];
    while (!this.fits(limits)) {
      const mail = this.#shares.takeOldest(limits);
      if (!mail) break;
      this.lose(mail, 'trimmed', lsn);
      lost.push(mail);
    }
    if (lost.length > 0) changes.push({ what: 'trimmed', lost });
    return this.fits(limits);
  }

  /** Adds the message of this row, which gets a number. */
  push(part: Buffer, row: number, lsn: number): number {
    const seq = this.lastSeq + 1;
    setSeq(part, row, seq);
    this.take(part, row, lsn);
    this.#shares?.add(accountOfRow(part, row), { seq, size: sizeOf(part, row) });
    return seq;
  }

  /** Undefined: it says nothing new. */
  acknowledge(seq: number): MailboxChange | undefined {
    const upTo = Math.min(seq, this.lastSeq);
    if (upTo <= this.floor) return undefined;
    this.forget(upTo);
    return { what: 'acknowledged', upTo };
  }

  claim(session: number, lsn: number): MailboxChange | undefined {
    if (session === this.session) return undefined;
    const change = { what: 'claimed', session } as const;
    this.change(change, lsn);
    return change;
  }

  /** Loses what was taken before `horizon` (ms), and what is too damaged to know when it was. */
  expire(horizon: number, lsn: number): Loss[] {
    if (this.oldest >= horizon) return [];
    const expired: LostMail[] = [];
    const damaged: LostMail[] = [];
    for (const { seq, size, at } of this.settled.takenBefore(horizon, this.floor))
      (at === NO_TIME ? damaged : expired).push({ seq, size });
    for (const mail of this.unsettled.takenBefore(horizon)) expired.push(mail);
    const changes: Loss[] = [];
    if (expired.length > 0) changes.push({ what: 'expired', lost: expired });
    if (damaged.length > 0) changes.push({ what: 'damaged', lost: damaged });
    for (const change of changes) this.change(change, lsn);
    if (changes.length > 0) this.#shares = undefined;
    return changes;
  }

  /**
   * Inside a transaction of LMDB: what came with commits up to `upTo`, and is still there, becomes
   * segments, `most` messages at a time; all else that commits up to `applied` did becomes the
   * head's. How many messages that were. `settle` follows when it is durable.
   */
  checkpoint(upTo: number, applied: number, epoch: number, most = Number.POSITIVE_INFINITY): number {
    const { db, prefix, settled, unsettled, session, floor, gap } = this;
    // The device may have gone in this very transaction.
    if (!db.getBinaryFast(prefix)) return 0;
    if (this.#hasSegments) {
      removeAcknowledged(db, prefix, floor);
      removeLost(db, prefix, floor, settled.lost);
    }
    const written = unsettled.countUpTo(this.#settling ?? settled.lastSeq);
    const count = Math.max(Math.min(unsettled.countOfCommits(upTo), written + most), written);
    const mails = Array.from({ length: count - written }, (_, i) => this.#mailForSegment(written + i));
    writeSegments(db, prefix, mails);
    let { messages, bytes, oldest } = settled;
    for (let i = 0; i < count; i++) {
      messages++;
      bytes += unsettled.size(i);
      oldest = Math.min(oldest, unsettled.at(i));
    }
    const settledSeq = count < unsettled.length ? unsettled.seq(count) - 1 : this.lastSeq;
    db.putSync(prefix, encodeHead({ session, settledSeq, floor, messages, bytes, oldest, gap, lsn: applied, epoch }));
    this.#hasSegments = messages > 0;
    this.#settling = settledSeq;
    this.#removed = [...settled.lost];
    return mails.length;
  }

  get isSettling(): boolean {
    return this.#settling !== undefined;
  }

  /** The checkpoint is durable. What was acknowledged and lost meanwhile, the log says. */
  settle(): void {
    if (this.#settling === undefined) return;
    const { settled, unsettled } = this;
    const count = unsettled.countUpTo(this.#settling);
    for (let i = 0; i < count; i++) {
      settled.messages++;
      settled.bytes += unsettled.size(i);
      settled.oldest = Math.min(settled.oldest, unsettled.at(i));
    }
    unsettled.drop(count);
    settled.lastSeq = this.#settling;
    for (const seq of this.#removed) settled.lost.delete(seq);
    this.#settling = undefined;
    this.#removed = [];
  }

  /** Whether it has messages that came with commits up to this one, and that only the log has. */
  needs(lsn: number): boolean {
    return this.unsettled.countOfCommits(lsn) > 0;
  }

  protected override forget(upTo: number): void {
    if (this.#shares)
      for (const { seq, size, account } of this.mailsAfter(this.floor)) {
        if (seq > upTo) break;
        this.#shares.remove(account(), { seq, size });
      }
    super.forget(upTo);
  }

  protected override lose(mail: LostMail, reason: GapRecord['reason'], lsn: number): void {
    super.lose(mail, reason, lsn);
    // It may be in a segment that is on its way.
    if (mail.seq <= (this.#settling ?? 0)) this.settled.lost.add(mail.seq);
  }

  #mailForSegment(i: number) {
    const { unsettled } = this;
    return {
      seq: unsettled.seq(i),
      at: unsettled.at(i),
      size: unsettled.size(i),
      account: unsettled.account(i),
      copy: (target: Buffer, at: number) => unsettled.copy(i, target, at),
    };
  }
}
