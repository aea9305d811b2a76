/**
 * One mailbox on its way to one socket (delivery: order, caught up, at least once). The mailbox is read up to its end, then live
 * messages are handed over as they are appended; whenever a live message is not the direct successor of the last one, or the window is
 * full, the mailbox is read again. So sequence numbers reach the socket in order and without a hole, whatever the bus lost.
 */
import type { GapRecord, Mailboxes, MailboxPage } from '@sealwire/store/port';
import { encodeServerFrame } from '@sealwire/wire/frame-codec';
import type { DeviceId } from '@sealwire/wire/ids';
import type { MailClock } from '../mailboxes/mail-clock.ts';
import type { SocketWriter } from '../sockets/socket-writer.ts';
import { Unacknowledged, type WindowLimits } from './unacknowledged.ts';

export interface OutboxServices {
  readonly mailboxes: Pick<Mailboxes, 'read'>;
  readonly limits: WindowLimits;
  readonly mailClock: Pick<MailClock, 'horizon'>;
  readonly traffic: DeliveryCounts;
}

/** What is counted of all outboxes together. */
export interface DeliveryCounts {
  /** A message went to the socket. */
  delivered(): void;
  /** So many messages had waited for a device that connected. */
  waited(messages: number): void;
}

/** The connection of an outbox. */
export interface OutboxOwner {
  /** These acknowledgements hold. */
  acknowledged(upTo: number): void;
  /** An acknowledgement of something that was never sent: nothing of it counts. */
  acknowledgedTooMuch(): void;
  /** The mailbox could not be read: wake the outbox again soon. */
  readFailed(error: unknown): void;
  /** Wake the outbox again soon. */
  pollSoon(): void;
  /** There was news of which nobody had told: the other nodes do not know where this device is. */
  overlooked(): void;
}

/** What is known of the mailbox's news. */
type State = 'starting' | 'reading' | 'behind' | 'live' | 'stopped';

export class Outbox {
  private state: State = 'starting';
  /** More came while a page was being read. */
  private readAgain = false;
  private caughtUp = false;
  /** Sent on this socket before it was caught up. */
  private waited = 0;
  private firstPageRead = false;
  /** All up to this was sent on this socket, or was gone before. */
  private cursor = 0;
  private gapTold = 0;
  /** The mailbox is looked into though nobody told of news. */
  private uncalled = false;
  private readonly window: Unacknowledged;
  /** Acknowledged before the first page: only then is it known what may be acknowledged. */
  private early = 0;

  constructor(
    private readonly device: DeviceId,
    private readonly writer: SocketWriter,
    private readonly services: OutboxServices,
    private readonly owner: OutboxOwner,
  ) {
    this.window = new Unacknowledged(services.limits);
  }

  /** Reads the mailbox, whose news are announced to this outbox from before this call on. */
  start(): void {
    void this.read();
  }

  stop(): void {
    if (this.firstPageRead && !this.caughtUp) this.services.traffic.waited(this.waited);
    this.state = 'stopped';
  }

  /** A message that was just appended to this mailbox: `pieces` are `length` bytes together, as stored. */
  push(seq: number, pieces: readonly Uint8Array[], length: number): void {
    if (seq <= this.cursor) return;
    if (this.state === 'live' && seq === this.cursor + 1 && this.window.fits(length)) this.deliver(seq, pieces, length);
    else this.wake();
  }

  /** There may be news: look. */
  wake(): void {
    this.uncalled = false;
    if (this.state === 'reading') this.readAgain = true;
    else if (this.state === 'live' || this.state === 'behind') {
      this.state = 'behind';
      if (this.window.isRoomy) void this.read();
    }
  }

  /** Looks although nobody told of news. */
  poll(): void {
    const { state } = this;
    this.wake();
    this.uncalled = state === 'live';
  }

  /**
   * An acknowledgement from the socket. One beyond the last message sent breaks the protocol and counts for nothing (case A09).
   * Answers whether it acknowledged a message of this socket that no other one had.
   */
  acknowledge(upTo: number): boolean {
    if (this.state === 'stopped') return false;
    if (!this.firstPageRead) {
      this.early = Math.max(this.early, upTo);
      return false;
    }
    if (upTo > Math.max(this.cursor, this.gapTold)) {
      this.owner.acknowledgedTooMuch();
      return false;
    }
    const { messages } = this.window;
    this.window.acknowledge(upTo);
    const isNews = this.window.messages < messages;
    this.owner.acknowledged(upTo);
    if (this.state === 'behind' && this.window.isRoomy) void this.read();
    return isNews;
  }

  private async read(): Promise<void> {
    const { mailboxes, mailClock } = this.services;
    this.state = 'reading';
    try {
      do {
        this.readAgain = false;
        const { roomMessages, roomBytes } = this.window;
        const page = await mailboxes.read(this.device, {
          after: this.cursor,
          messages: roomMessages,
          bytes: roomBytes,
          horizon: mailClock.horizon(),
        });
        if (this.stopped()) return;
        this.sendPage(page);
        if (this.uncalled && page.mails.length > 0) this.owner.overlooked();
        this.uncalled = false;
        if (page.end && !this.readAgain) {
          this.state = 'live';
          return;
        }
        if (!page.end && page.mails.length === 0) {
          // Held back for a message that may still appear. Whoever writes it will wake us, if it lives.
          this.owner.pollSoon();
          break;
        }
      } while (this.window.isRoomy);
      this.state = 'behind';
    } catch (error) {
      if (this.stopped()) return;
      this.state = 'behind';
      this.owner.readFailed(error);
    }
  }

  private stopped(): boolean {
    return this.state === 'stopped';
  }

  private sendPage({ mails, end, settledSeq, gap }: MailboxPage): void {
    // What is not beyond the cursor was delivered on this socket, or told.
    let untold = gap && gap.toSeq > Math.max(this.gapTold, this.cursor) ? gap : undefined;
    for (const { seq, bytes } of mails) {
      if (seq <= this.cursor) continue;
      if (untold && seq > untold.toSeq) untold = this.tell(untold);
      this.deliver(seq, [bytes], bytes.length);
      if (!this.caughtUp) this.waited++;
    }
    if (end) {
      if (untold) this.tell(untold);
      this.cursor = Math.max(this.cursor, settledSeq);
      if (!this.caughtUp) {
        this.caughtUp = true;
        this.services.traffic.waited(this.waited);
        this.writer.frame(encodeServerFrame({ kind: 'caught-up', lastSeq: this.cursor }));
      }
    }
    this.firstPageRead = true;
    const { early } = this;
    this.early = 0;
    if (early > 0) this.acknowledge(early);
  }

  /** In its place among the messages: whoever acknowledges it acknowledges all that lie before its end. */
  private tell(gap: GapRecord): undefined {
    this.gapTold = gap.toSeq;
    this.writer.frame(encodeServerFrame({ kind: 'gap', ...gap }));
  }

  private deliver(seq: number, pieces: readonly Uint8Array[], length: number): void {
    this.cursor = seq;
    this.window.add(seq, length);
    this.writer.deliver(seq, pieces, length);
    this.services.traffic.delivered();
  }
}
