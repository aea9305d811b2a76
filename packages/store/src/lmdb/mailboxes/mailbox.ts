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
import { type LogEntry, type LostMail, type MailboxChange, type MissingRecords, seqOf } from '../log/log-record.ts';
import { prefixedKey } from '../records/keys.ts';
import { decodeHead, doubt, inEpoch, type MailboxHead, SKIPPED_SEQS } from './head.ts';
import { NO_TIME } from './segment.ts';
import { headFromSegments, SettledMails } from './settled-mails.ts';
import { UnsettledMails } from './unsettled-mails.ts';

export interface HeldMail {
  readonly seq: number;
  /** When it was taken, ms. */
  readonly at: number;
  readonly size: number;
  /** Of the sender; empty: not known. */
  readonly account: () => string;
  /** A copy; undefined: it is damaged. */
  readonly body: () => Uint8Array | undefined;
}

export class Mailbox {
  protected readonly settled: SettledMails;
  protected readonly unsettled = new UnsettledMails();
  protected floor: number;
  /** The newest number that was given out. */
  protected lastSeq: number;
  /** Records of the log are missing: its next message may not be the one that followed. */
  #isInDoubt = false;
  #session: number;
  #gap: GapRecord | undefined;
  /** Losses up to this commit are in the gap already. */
  readonly #gapLsn: number;
  #replayed = 0;
  /** Damaged ones, which pages come across again until their device has acknowledged them. */
  readonly #reported = new Set<number>();

  /**
   * `prefix` is the key of its head. `knowsSeq`: the newest number is known.
   * `report` is called for each message that cannot be read.
   */
  constructor(
    protected readonly db: Db,
    protected readonly prefix: Buffer,
    head: MailboxHead,
    protected knowsSeq: boolean,
    private readonly report: () => void,
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

  /** The newest number that was given out. */
  get newest(): number {
    return this.lastSeq;
  }

  /** All up to this are acknowledged. */
  get acknowledged(): number {
    return this.floor;
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
      if (at < horizon && at !== NO_TIME) {
        gap = mergeGaps(gap, gapOf(seq, 'expired'));
        continue;
      }
      if (mails.length > 0 && (mails.length >= messages || bytes + size > mostBytes)) {
        end = false;
        break;
      }
      const whole = body();
      if (!whole) {
        gap = mergeGaps(gap, gapOf(seq, 'damaged'));
        if (!this.#reported.has(seq)) this.report();
        this.#reported.add(seq);
        continue;
      }
      bytes += size;
      mails.push({ seq, at, bytes: whole });
    }
    return { mails, end, settledSeq: this.lastSeq, ...(gap && { gap }) };
  }

  /** All that it holds, expired or not. */
  held(): Generator<HeldMail> {
    return this.mailsAfter(this.floor);
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
    if (this.#isInDoubt && seq > this.lastSeq + 1)
      this.#tell({ count: seq - this.lastSeq - 1, fromSeq: this.lastSeq + 1, toSeq: seq - 1, reason: 'damaged' });
    this.#isInDoubt = false;
    this.knowsSeq = true;
    this.lastSeq = seq;
    if (seq > this.floor) this.unsettled.push(part, row, lsn);
  }

  protected change(change: MailboxChange | MissingRecords, lsn: number): void {
    switch (change.what) {
      case 'acknowledged':
        this.forget(change.upTo);
        break;
      case 'claimed':
        this.#session = Math.max(this.#session, change.session);
        break;
      case 'missing':
        this.#isInDoubt = true;
        break;
      case 'resumed':
        this.lastSeq = Math.max(this.lastSeq, change.upTo);
        this.knowsSeq = true;
        this.#tell(doubt(1, change.upTo));
        break;
      default:
        for (const mail of change.lost) this.lose(mail, change.what, lsn);
    }
  }

  /** Nothing more follows: what may be missing is told, and its numbers are skipped. */
  endDoubt(): void {
    if (!this.#isInDoubt) return;
    this.#isInDoubt = false;
    const from = this.lastSeq + 1;
    this.lastSeq += SKIPPED_SEQS;
    this.#tell(doubt(from, this.lastSeq));
  }

  #tell(gap: GapRecord): void {
    if (gap.toSeq > this.floor) this.#gap = mergeGaps(this.#gap, gap);
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
  kind: new (db: Db, prefix: Buffer, head: MailboxHead, knowsSeq: boolean, report: () => void) => Kind,
  db: Db,
  log: CommitLog,
  device: DeviceId,
): Kind | undefined {
  const prefix = prefixedKey(device);
  const record = db.getBinaryFast(prefix);
  if (!record) return undefined;
  const head = decodeHead(record);
  if (!head) log.report('mailbox');
  const known = head ? inEpoch(head, log.epoch) : headFromSegments(db, prefix, log.settledLsn, log.epoch);
  const mailbox = new kind(db, prefix, known, head !== undefined, () => log.report('message'));
  mailbox.replay(log.entriesOf(device));
  return mailbox;
}
