/**
 * One mailbox: its head, and what the log says beyond it. This half reads and cannot write: it does
 * again what the log says, which gives the same numbers each time, whatever of it the head contains
 * already.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { gapOf, mergeGaps } from '../../gap.ts';
import type { GapRecord, MailboxPage, PageBounds, StoredMail } from '../../port.ts';
import type { Db } from '../environment.ts';
import type { CommitLog } from '../log/commit-log.ts';
import { type LogEntry, type LostMail, type MailboxChange, seqOf } from '../log/log-record.ts';
import { prefixedKey } from '../records/keys.ts';
import { decodeHead, type MailboxHead } from './head.ts';
import { SettledMails } from './settled-mails.ts';
import { UnsettledMails } from './unsettled-mails.ts';

export interface HeldMail {
  readonly seq: number;
  /** When it was taken, ms. */
  readonly at: number;
  readonly size: number;
  /** Of the sender; empty: not known. */
  readonly account: () => string;
  /** A copy. */
  readonly body: () => Uint8Array;
}

export class Mailbox {
  protected readonly settled: SettledMails;
  protected readonly unsettled = new UnsettledMails();
  protected floor: number;
  /** The newest number that was given out. */
  protected lastSeq: number;
  #session: number;
  #gap: GapRecord | undefined;
  /** Losses up to this commit are in the gap already. */
  readonly #gapLsn: number;
  #replayed = 0;

  /** `prefix` is the key of its head. */
  constructor(
    protected readonly db: Db,
    protected readonly prefix: Buffer,
    head: MailboxHead,
  ) {
    this.settled = new SettledMails(db, prefix, head);
    this.floor = head.floor;
    this.lastSeq = head.settledSeq;
    this.#session = head.session;
    this.#gap = head.gap;
    this.#gapLsn = head.lsn;
  }

  get session(): number {
    return this.#session;
  }

  get gap(): GapRecord | undefined {
    return this.#gap;
  }

  get messages(): number {
    return this.settled.messages + this.unsettled.length;
  }

  get bytes(): number {
    return this.settled.bytes + this.unsettled.bytes;
  }

  /** No message is older than this (ms). */
  get oldest(): number {
    return Math.min(this.settled.oldest, this.unsettled.oldest);
  }

  /** Does again what the log says beyond what is known. */
  replay(entries: readonly LogEntry[]): void {
    // Nearly all are known when one page follows another.
    let next = entries.length;
    while (next > 0 && (entries[next - 1] as LogEntry).lsn > this.#replayed) next--;
    for (; next < entries.length; next++) {
      const entry = entries[next] as LogEntry;
      if (entry.part) this.take(entry.part, entry.row, entry.lsn);
      else this.change(entry.change, entry.lsn);
      this.#replayed = entry.lsn;
    }
  }

  /** See `Mailboxes.read`. */
  page({ after, messages, bytes: mostBytes, horizon }: PageBounds): MailboxPage {
    let gap = this.#gap;
    const mails: StoredMail[] = [];
    let bytes = 0;
    let end = true;
    for (const { seq, at, size, body } of this.mailsAfter(Math.max(after, this.floor))) {
      if (at < horizon) {
        gap = mergeGaps(gap, gapOf(seq, 'expired'));
        continue;
      }
      if (mails.length > 0 && (mails.length >= messages || bytes + size > mostBytes)) {
        end = false;
        break;
      }
      bytes += size;
      mails.push({ seq, at, bytes: body() });
    }
    return { mails, end, settledSeq: this.lastSeq, ...(gap && { gap }) };
  }

  /** Ascending; those in segments, then those in the log. */
  protected *mailsAfter(seq: number): Generator<HeldMail> {
    for (const { account, ...mail } of this.settled.after(seq)) yield { ...mail, account: () => account };
    const { unsettled } = this;
    for (let i = unsettled.countUpTo(seq); i < unsettled.length; i++) {
      const size = unsettled.size(i);
      const body = () => {
        const copy = new Uint8Array(size);
        unsettled.copy(i, copy, 0);
        return copy;
      };
      yield { seq: unsettled.seq(i), at: unsettled.at(i), size, account: () => unsettled.account(i), body };
    }
  }

  /** The message of this row, which has its number. */
  protected take(part: Buffer, row: number, lsn: number): void {
    const seq = seqOf(part, row);
    if (seq <= this.lastSeq) return;
    this.lastSeq = seq;
    if (seq > this.floor) this.unsettled.push(part, row, lsn);
  }

  protected change(change: MailboxChange, lsn: number): void {
    switch (change.what) {
      case 'acknowledged':
        this.forget(change.upTo);
        break;
      case 'claimed':
        this.#session = Math.max(this.#session, change.session);
        break;
      default:
        for (const mail of change.lost) this.lose(mail, change.what, lsn);
    }
  }

  protected forget(upTo: number): void {
    if (upTo <= this.floor) return;
    this.settled.forget(this.floor, upTo);
    this.unsettled.drop(this.unsettled.countUpTo(upTo));
    this.floor = upTo;
    if (this.#gap && this.#gap.toSeq <= upTo) this.#gap = undefined;
  }

  protected lose({ seq, size }: LostMail, reason: GapRecord['reason'], lsn: number): void {
    const isIncluded = lsn <= this.#gapLsn;
    if (!this.unsettled.remove(seq) && !isIncluded) this.settled.lose(seq, size);
    if (!isIncluded) this.#gap = mergeGaps(this.#gap, gapOf(seq, reason));
  }
}

/**
 * As head and log say, or another half of it. Undefined when there is no such device: a mailbox
 * comes and goes with it.
 */
export function openMailbox<Kind extends Mailbox>(
  kind: new (db: Db, prefix: Buffer, head: MailboxHead) => Kind,
  db: Db,
  log: CommitLog,
  device: DeviceId,
): Kind | undefined {
  const prefix = prefixedKey(device);
  const head = db.getBinaryFast(prefix);
  if (!head) return undefined;
  const mailbox = new kind(db, prefix, decodeHead(head));
  mailbox.replay(log.entriesOf(device));
  return mailbox;
}
