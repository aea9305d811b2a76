/** One mailbox in memory, and what gives way when it is full (`Mailboxes.append` in the port). */
import { type AccountAddress, accountOf, type DeviceId } from '@sealwire/wire/ids';
import { gapOf, mergeGaps } from '../gap.ts';
import type { GapRecord, MailboxLimits, MailboxPage, PageBounds, Room, StoredMail } from '../port.ts';
import type { MailboxRow } from './state.ts';

/** A message for one mailbox, once for each time its device is named. */
export interface Incoming {
  readonly sender: DeviceId;
  readonly at: number;
  readonly bodies: readonly Uint8Array[];
  /** Instead of the limits'. */
  readonly room: Room | undefined;
}

/** Makes room and adds the message; its numbers. Undefined: there is no room, and nothing has changed but what was expired. */
export function admit(
  mailbox: MailboxRow,
  { sender, at, bodies, room }: Incoming,
  { lifeMs, whenFull, ...general }: MailboxLimits,
): number[] | undefined {
  const limits = room ?? general;
  const messages = bodies.length;
  const bytes = bodies.reduce((sum, body) => sum + body.length, 0);
  if (!fits(mailbox, messages, bytes, limits)) {
    expireMails(mailbox, at - lifeMs);
    if (messages > limits.messages || bytes > limits.bytes) return undefined;
    if (whenFull === 'refuse' && !fits(mailbox, messages, bytes, limits)) return undefined;
  }
  while (!fits(mailbox, messages, bytes, limits)) lose(mailbox, oldestOfLargest(mailbox, limits), 'trimmed');
  return bodies.map((body) => {
    mailbox.mails.set(++mailbox.lastSeq, { sender, at, bytes: body });
    mailbox.bytes += body.length;
    return mailbox.lastSeq;
  });
}

/** Loses what was taken before `horizon` (ms); how many. */
export function expireMails(mailbox: MailboxRow, horizon: number): number {
  let expired = 0;
  for (const [seq, { at }] of mailbox.mails)
    if (at < horizon) {
      lose(mailbox, seq, 'expired');
      expired++;
    }
  return expired;
}

/** What `Mailboxes.read` answers of these messages. */
export function pageOf(
  mailbox: Pick<MailboxRow, 'mails' | 'gap'>,
  { after, messages, bytes, horizon }: PageBounds,
): Omit<MailboxPage, 'settledSeq'> {
  const mails: StoredMail[] = [];
  let size = 0;
  let end = true;
  let { gap } = mailbox;
  for (const [seq, mail] of mailbox.mails) {
    if (seq <= after) continue;
    if (mail.at < horizon) {
      gap = mergeGaps(gap, gapOf(seq, 'expired'));
      continue;
    }
    if (mails.length > 0 && (mails.length >= messages || size + mail.bytes.length > bytes)) {
      end = false;
      break;
    }
    size += mail.bytes.length;
    mails.push({ seq, at: mail.at, bytes: mail.bytes.slice() });
  }
  return { mails, end, ...(gap && { gap }) };
}

export function forgetUpTo(mailbox: MailboxRow, upTo: number): void {
  for (const seq of mailbox.mails.keys()) {
    if (seq > upTo) break;
    forget(mailbox, seq);
  }
  if (mailbox.gap && mailbox.gap.toSeq <= upTo) mailbox.gap = undefined;
}

function fits(mailbox: MailboxRow, messages: number, bytes: number, limits: Room): boolean {
  return mailbox.mails.size + messages <= limits.messages && mailbox.bytes + bytes <= limits.bytes;
}

/** The oldest message of the account with the largest share; of equal shares, the oldest message of all. */
function oldestOfLargest({ mails }: MailboxRow, limits: Room): number {
  const accounts = new Map<AccountAddress, { readonly oldest: number; messages: number; bytes: number }>();
  for (const [seq, { sender, bytes }] of mails) {
    const account = accountOf(sender);
    const held = accounts.get(account) ?? { oldest: seq, messages: 0, bytes: 0 };
    held.messages++;
    held.bytes += bytes.length;
    accounts.set(account, held);
  }
  let chosen = { oldest: 0, share: -1 };
  for (const { oldest, messages, bytes } of accounts.values()) {
    const share = Math.max(messages / limits.messages, bytes / limits.bytes);
    // The accounts come in the order of their oldest messages.
    if (share > chosen.share) chosen = { oldest, share };
  }
  return chosen.oldest;
}

function forget(mailbox: MailboxRow, seq: number): void {
  mailbox.bytes -= mailbox.mails.get(seq)?.bytes.length ?? 0;
  mailbox.mails.delete(seq);
}

function lose(mailbox: MailboxRow, seq: number, reason: GapRecord['reason']): void {
  forget(mailbox, seq);
  mailbox.gap = mergeGaps(mailbox.gap, gapOf(seq, reason));
}
