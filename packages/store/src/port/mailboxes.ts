/** What the relay keeps: messages until their device has acknowledged them, and what is told of those that were lost. */
import type { DeviceId, MessageId } from '@sealwire/wire/ids';

/** What to do with a message for a mailbox that holds its maximum. The operator chooses. */
export type WhenFull = 'refuse' | 'trim';

/** What a mailbox holds at most. */
export interface Room {
  readonly messages: number;
  readonly bytes: number;
}

export interface MailboxLimits extends Room {
  readonly lifeMs: number;
  readonly whenFull: WhenFull;
  /** A message id is remembered this long, unless more than so many were taken since. */
  readonly memory: { readonly ms: number; readonly messages: number };
}

/** One message to any number of mailboxes, each of which keeps the shared pieces and then its own, joined: opaque to the store. */
export interface Mail {
  readonly sender: DeviceId;
  readonly id: MessageId;
  /** Of content and recipients: tells a repeat (same) from a conflict (other). At most 32 bytes. */
  readonly digest: Uint8Array;
  /** When the relay took it, ms. */
  readonly at: number;
  readonly shared: readonly Uint8Array[];
  readonly recipients: readonly Recipient[];
}

export interface Recipient {
  readonly device: DeviceId;
  readonly own: readonly Uint8Array[];
  /** Of this mailbox, in the place of what the limits say: its share of what its account may have waiting. */
  readonly room?: Room | undefined;
}

export type AppendResult =
  /**
   * Durable in every mailbox but those of `refused`, which had no room; `seqs[i]` belongs to `recipients[i]`,
   * 0: refused.
   */
  | { readonly status: 'accepted'; readonly seqs: readonly number[]; readonly refused: readonly DeviceId[] }
  /** The same id with the same digest was accepted before, but for `refused`: nothing was stored now. */
  | { readonly status: 'repeated'; readonly refused: readonly DeviceId[] }
  /** The same id was accepted with another digest: nothing stored. */
  | { readonly status: 'conflict' }
  /** No mailbox had room: nothing stored, and the id is not remembered. */
  | { readonly status: 'full'; readonly devices: readonly DeviceId[] }
  /** These devices do not exist (any more): nothing stored, and the id is not remembered. */
  | { readonly status: 'unknown'; readonly devices: readonly DeviceId[] };

export interface StoredMail {
  readonly seq: number;
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * What a mailbox lost, told to its device until it acknowledges `toSeq`. Losses add up to one record: the counts add, the range spans all
 * of them (messages within it may be there), and where some were damaged that is the reason, else where some were trimmed.
 */
export interface GapRecord {
  /** That are known to be gone. 0: the store was damaged, and it is not known whether anything is missing. */
  readonly count: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** `damaged`: what the store has of them cannot be read. */
  readonly reason: 'expired' | 'trimmed' | 'damaged';
}

export interface MailboxPage {
  readonly mails: readonly StoredMail[];
  /** Undefined: nothing was lost, or the loss is acknowledged. */
  readonly gap?: GapRecord;
  /**
   * Nothing follows the last of `mails`, as of this read. False with no mails: a message with a lower number
   * than others may still appear, and these are held back for it; read again in a moment.
   */
  readonly end: boolean;
  /** All up to this number is settled: what is not in the mailbox by now never will be. 0: nothing was ever in it. */
  readonly settledSeq: number;
}

export interface PageBounds {
  /** Numbers above this. */
  readonly after: number;
  /** At most so many messages … */
  readonly messages: number;
  /** … and bytes, but at least one message if there is one. No more bodies than these are read to make the page, however deep the mailbox. */
  readonly bytes: number;
  /** What was taken before (ms) is expired. */
  readonly horizon: number;
}

export interface Acknowledgement {
  readonly device: DeviceId;
  /** The session that acknowledges; see `claimSession`. */
  readonly session: number;
  /** All up to and including this. */
  readonly upTo: number;
}

export interface Mailboxes {
  /**
   * Appends a batch; one result a mail, in order. Aggregates: the mailboxes, one by one. Accepted is durable in
   * every mailbox that is not `refused`. What is not accepted may be in some of them (a call that failed):
   * the same id again completes it, and no mailbox ever hands out one message of a sender twice. Numbers of
   * a mailbox grow in the order of acceptance; some may be missing; none is given twice. A repeat within the
   * batch is a repeat. Ids are remembered as `limits.memory` says, also after the message was acknowledged.
   *
   * A full mailbox keeps the message from nobody else. It first loses what has outlived `lifeMs` at the time
   * the message was taken, though no `expire` has come. Then, with `refuse`, it refuses. With `trim` it loses
   * the oldest message of the account that fills most of it (of the largest share of either limit; of equal
   * ones, whose oldest message is the oldest), again and again until the new one has room, and a gap record
   * tells so. A message that would not fit an empty mailbox is refused either way.
   */
  append(batch: readonly Mail[], limits: MailboxLimits): Promise<AppendResult[]>;
  /**
   * Ascending. Expired ones are skipped, and added to the `gap` of the page as far as the page has come. A
   * reader is never handed n + 1 while n may still appear. A device that does not exist has an empty page.
   */
  read(device: DeviceId, bounds: PageBounds): Promise<MailboxPage>;
  /**
   * Forgets what is acknowledged; per entry. Numbers that were not given out yet do not matter. An entry of a
   * session older than the newest claimed one is refused (`superseded`) and changes nothing: the loser of a
   * replaced connection cannot acknowledge any more, and neither can a device that does not exist any more.
   */
  acknowledge(batch: readonly Acknowledgement[]): Promise<('done' | 'superseded')[]>;
  /**
   * Makes `session` the newest of the device, if its number is the largest so far (the newest may claim again). Answers the newest
   * session's number after this: another than `session` has superseded it. Undefined when there is no such device. Numbers are compared,
   * never given out by the store.
   */
  claimSession(device: DeviceId, session: number): Promise<number | undefined>;
  /** Messages and bytes held. */
  usage(device: DeviceId): Promise<{ messages: number; bytes: number }>;
  /**
   * Moves what was taken before `horizon` (ms) into gap records: of at most `limit` mailboxes that hold
   * such messages, each at once. How many messages expired; 0: none is left. Whoever calls holds a lease
   * (`Once`), so that one node at a time sweeps.
   */
  expire(horizon: number, limit: number): Promise<number>;
}
