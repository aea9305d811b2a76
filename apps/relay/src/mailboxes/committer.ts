/**
 * Group commit with back-pressure as the clock (performance, trick 4): while one durable write is in flight the next batch collects, and
 * goes on collecting until a turn of the event loop brings nothing more: under load a write has what all readable sockets had to say, else
 * it begins at once. Acknowledgements ride in the same turn as the appends. Messages keep the order in which they were submitted.
 */
import type { AppendResult, Mail, Mailboxes, MailboxLimits } from '@sealwire/store/port';
import type { DeviceId, MessageId } from '@sealwire/wire/ids';
import type { Session } from '../sockets/session.ts';
import type { Timers } from '../time/timers.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { MailClock } from './mail-clock.ts';

/** A message on its way to the mailboxes. */
export interface Submission extends Mail {
  readonly session: Session;
  /** What the mailboxes will hold of it, together, and what each of them costs beside that. */
  readonly bytes: number;
  /** Devices of its frame that it is not for, which the sender is told. */
  readonly unwanted: readonly DeviceId[];
}

export interface CommitterSettings {
  readonly mailbox: MailboxLimits;
  readonly batchMessages: number;
  readonly batchBytes: number;
  readonly waitingMessages: number;
  readonly waitingBytes: number;
  readonly ackEveryMs: number;
}

/** What happens with what was written. */
export interface CommitterOutcome {
  /** `results[i]` is durable and belongs to `batch[i]`. */
  appended(batch: readonly Submission[], results: readonly AppendResult[]): void;
  /** The outcome of the whole batch is unknown. */
  unknown(batch: readonly Submission[], error: unknown): void;
  /** Another session of this device is the newer one: this acknowledgement was refused. */
  superseded(session: Session): void;
  acknowledgeFailed(error: unknown): void;
  /** What nobody expected: the process lives on (case H16). */
  unexpected(error: unknown): void;
}

const RETRY_ACKNOWLEDGEMENTS_MS = 1_000;
/** Turns that a batch collects at most, each of which brought something: a few milliseconds. */
const MOST_TURNS = 32;

export class Committer {
  private waiting: Submission[] = [];
  private waitingBytes = 0;
  private appending = false;
  private acknowledging = false;
  private turnScheduled = false;
  /** Turns in a row that brought something, and what waited at the end of the last one. */
  private turns = 0;
  private waitedBefore = 0;
  /** The acknowledgements that wait have waited long enough. */
  private acknowledgementsDue = false;
  private cancelTimer: (() => void) | undefined;
  private whenIdle: (() => void)[] = [];

  constructor(
    private readonly mailboxes: Pick<Mailboxes, 'append' | 'acknowledge'>,
    private readonly acknowledgements: Acknowledgements,
    private readonly settings: CommitterSettings,
    private readonly mailClock: Pick<MailClock, 'horizon'>,
    private readonly timers: Timers,
    private readonly outcome: CommitterOutcome,
  ) {}

  /** False: too much waits already, and this message was not taken. */
  submit(submission: Submission): boolean {
    const { batchMessages, waitingMessages, waitingBytes } = this.settings;
    if (this.waiting.length >= waitingMessages || this.waitingBytes >= waitingBytes) return false;
    // What the next batch takes is gone in a moment; behind it the store is slow, and what waits is kept as small as it counts.
    this.waiting.push(this.waiting.length < batchMessages ? submission : detached(submission));
    this.waitingBytes += submission.bytes;
    submission.session.submitted(submission.bytes);
    if (!this.appending) this.schedule();
    return true;
  }

  /** That no write has taken yet. */
  get waitingMessages(): number {
    return this.waiting.length;
  }

  acknowledge(session: Session, upTo: number): void {
    this.acknowledgements.add(session, upTo);
    this.acknowledgeWithin(this.settings.ackEveryMs);
  }

  /** Resolves when nothing waits and nothing is in flight; acknowledgements are written at once. */
  async idle(): Promise<void> {
    if (!this.acknowledgements.isEmpty) this.acknowledgeNow();
    if (this.isIdle()) return;
    await new Promise<void>((resolve) => this.whenIdle.push(resolve));
  }

  private schedule(): void {
    if (this.turnScheduled) return;
    this.turnScheduled = true;
    this.turns = 0;
    this.waitedBefore = 0;
    setImmediate(this.endTurn);
  }

  /** When all sockets that were readable in this turn have been read. */
  private readonly endTurn = (): void => {
    const count = this.waiting.length;
    if (count > this.waitedBefore && count < this.settings.batchMessages && ++this.turns < MOST_TURNS) {
      this.waitedBefore = count;
      setImmediate(this.endTurn);
      return;
    }
    this.turnScheduled = false;
    if (!this.appending && this.waiting.length > 0) this.writeAppends().catch(this.outcome.unexpected);
    if (!this.acknowledging && !this.acknowledgements.isEmpty)
      this.writeAcknowledgements().catch(this.outcome.unexpected);
  };

  private async writeAppends(): Promise<void> {
    const batch = this.nextBatch();
    this.appending = true;
    try {
      let results: AppendResult[];
      try {
        results = await this.mailboxes.append(batch, this.limitsFor(batch));
      } catch (error) {
        this.outcome.unknown(batch, error);
        return;
      }
      this.outcome.appended(batch, results);
    } finally {
      this.appending = false;
      for (const { session, bytes } of batch) session.settled(bytes);
      if (this.waiting.length > 0) this.schedule();
      this.tellIdle();
    }
  }

  /** A full mailbox first loses what has outlived its life: by the mail's clock, too. */
  private limitsFor(batch: readonly Submission[]): MailboxLimits {
    const { mailbox } = this.settings;
    return { ...mailbox, lifeMs: Math.max(mailbox.lifeMs, (batch[0]?.at ?? 0) - this.mailClock.horizon()) };
  }

  private nextBatch(): Submission[] {
    const { batchMessages, batchBytes } = this.settings;
    let bytes = 0;
    let count = 0;
    for (const submission of this.waiting) {
      if (count >= batchMessages || (count > 0 && bytes + submission.bytes > batchBytes)) break;
      bytes += submission.bytes;
      count++;
    }
    const batch = count === this.waiting.length ? this.waiting : this.waiting.slice(0, count);
    this.waiting = count === this.waiting.length ? [] : this.waiting.slice(count);
    this.waitingBytes -= bytes;
    return batch;
  }

  private async writeAcknowledgements(): Promise<void> {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.acknowledgementsDue = false;
    const { sessions, batch } = this.acknowledgements.take();
    this.acknowledging = true;
    try {
      const results = await this.mailboxes.acknowledge(batch);
      for (const [i, result] of results.entries()) if (result === 'superseded') this.outcome.superseded(sessions[i]!);
    } catch (error) {
      // They are idempotent, and what was meant to be forgotten would only be delivered again: try later, with what comes meanwhile.
      for (const [i, { upTo }] of batch.entries()) this.acknowledgements.add(sessions[i]!, upTo);
      this.acknowledgeWithin(RETRY_ACKNOWLEDGEMENTS_MS);
      this.outcome.acknowledgeFailed(error);
    } finally {
      this.acknowledging = false;
      if (this.acknowledgementsDue) this.schedule();
      else if (!this.acknowledgements.isEmpty) this.acknowledgeWithin(this.settings.ackEveryMs);
      this.tellIdle();
    }
  }

  private acknowledgeWithin(delayMs: number): void {
    this.cancelTimer ??= this.timers.after(delayMs, () => {
      this.cancelTimer = undefined;
      this.acknowledgeNow();
    });
  }

  private acknowledgeNow(): void {
    this.acknowledgementsDue = true;
    this.schedule();
  }

  private isIdle(): boolean {
    return !this.appending && !this.acknowledging && this.waiting.length === 0 && !this.turnScheduled;
  }

  private tellIdle(): void {
    if (!this.isIdle()) return;
    for (const resolve of this.whenIdle.splice(0)) resolve();
  }
}

/** The same in memory of its own. A view keeps alive all that the socket's read brought, which may be many times the message. */
function detached(submission: Submission): Submission {
  const copyOf = (piece: Uint8Array) => new Uint8Array(piece);
  return {
    ...submission,
    id: copyOf(submission.id) as MessageId,
    shared: submission.shared.map(copyOf),
    recipients: submission.recipients.map((recipient) => ({ ...recipient, own: recipient.own.map(copyOf) })),
  };
}
