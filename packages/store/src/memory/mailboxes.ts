/** Mailboxes, in memory. */
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { gapOf, mergeGaps } from '../gap.ts';
import type { AppendResult, GapRecord, Mail, Mailboxes, MailboxLimits, StoredMail } from '../port.ts';
import { isSameBytes } from '../sameness.ts';
import { type MailboxRow, type MemoryState, textOf } from './state.ts';

export function memoryMailboxes(state: MemoryState): Mailboxes {
  const mailboxOf = (device: DeviceId): MailboxRow | undefined => state.devices.get(device)?.mailbox;

  return {
    async append(batch, limits) {
      return batch.map((mail) => appendOne(state, mail, limits));
    },

    async read(device, after, maxMessages, maxBytes, now, lifeMs) {
      const mailbox = mailboxOf(device);
      if (!mailbox) return { mails: [], end: true, lastSeq: 0 };
      const mails: StoredMail[] = [];
      let bytes = 0;
      let end = true;
      let { gap } = mailbox;
      for (const [seq, mail] of mailbox.mails) {
        if (seq <= after) continue;
        if (mail.at < now - lifeMs) {
          gap = mergeGaps(gap, gapOf(seq, 'expired'));
          continue;
        }
        if (mails.length > 0 && (mails.length >= maxMessages || bytes + mail.bytes.length > maxBytes)) {
          end = false;
          break;
        }
        bytes += mail.bytes.length;
        mails.push({ seq, at: mail.at, bytes: mail.bytes.slice() });
      }
      return { mails, end, lastSeq: mailbox.lastSeq, ...(gap && { gap }) };
    },

    async acknowledge(batch) {
      return batch.map(({ device, session, upTo, also }) => {
        const mailbox = mailboxOf(device);
        if (!mailbox || session < mailbox.session) return 'superseded';
        for (const seq of mailbox.mails.keys()) {
          if (seq > upTo) break;
          forget(mailbox, seq);
        }
        for (const seq of also) forget(mailbox, seq);
        if (mailbox.gap && (mailbox.gap.toSeq <= upTo || also.includes(mailbox.gap.toSeq))) mailbox.gap = undefined;
        return 'done';
      });
    },

    async claimSession(device, session) {
      const mailbox = mailboxOf(device);
      if (!mailbox || session < mailbox.session) return 'superseded';
      mailbox.session = session;
      return 'claimed';
    },

    async usage(device) {
      const mailbox = mailboxOf(device);
      return { messages: mailbox?.mails.size ?? 0, bytes: mailbox?.bytes ?? 0 };
    },

    async expire(now, lifeMs) {
      let expired = 0;
      for (const { mailbox } of state.devices.values()) expired += expireMailbox(mailbox, now - lifeMs);
      for (const [key, { at }] of state.accepted)
        if (at < now - LIMITS.repeatMemoryMs.value) state.accepted.delete(key);
      return expired;
    },
  };
}

function appendOne(state: MemoryState, mail: Mail, limits: MailboxLimits): AppendResult {
  const key = `${textOf(mail.id)}${mail.sender}`;
  const before = state.accepted.get(key);
  if (before) return { status: isSameBytes(before.digest, mail.digest) ? 'repeated' : 'conflict' };

  const unknown = mail.recipients.filter(({ device }) => !state.devices.has(device)).map(({ device }) => device);
  if (unknown.length > 0) return { status: 'unknown', devices: unknown };

  // By mailbox, because a device may be named more than once.
  const incoming = new Map<MailboxRow, { device: DeviceId; messages: number; bytes: number }>();
  const mailboxes = mail.recipients.map(({ device, pieces }) => {
    const mailbox = state.devices.get(device)?.mailbox as MailboxRow;
    const sum = incoming.get(mailbox) ?? { device, messages: 0, bytes: 0 };
    sum.messages++;
    for (const piece of pieces) sum.bytes += piece.length;
    incoming.set(mailbox, sum);
    return mailbox;
  });
  const full: DeviceId[] = [];
  for (const [mailbox, { device, messages, bytes }] of incoming) {
    if (fits(mailbox, messages, bytes, limits)) continue;
    expireMailbox(mailbox, mail.at - limits.lifeMs);
    const impossible = messages > limits.messages || bytes > limits.bytes;
    if (impossible || (limits.whenFull === 'refuse' && !fits(mailbox, messages, bytes, limits))) full.push(device);
  }
  if (full.length > 0) return { status: 'full', devices: full };

  for (const [mailbox, { messages, bytes }] of incoming)
    while (!fits(mailbox, messages, bytes, limits)) loseOldest(mailbox, 'trimmed');
  const seqs = mail.recipients.map(({ pieces }, i) => {
    const mailbox = mailboxes[i] as MailboxRow;
    const bytes = new Uint8Array(Buffer.concat(pieces));
    mailbox.mails.set(++mailbox.lastSeq, { at: mail.at, bytes });
    mailbox.bytes += bytes.length;
    return mailbox.lastSeq;
  });
  state.accepted.set(key, { digest: mail.digest.slice(), at: mail.at });
  return { status: 'accepted', seqs };
}

function fits(mailbox: MailboxRow, messages: number, bytes: number, limits: MailboxLimits): boolean {
  return mailbox.mails.size + messages <= limits.messages && mailbox.bytes + bytes <= limits.bytes;
}

function forget(mailbox: MailboxRow, seq: number): void {
  const mail = mailbox.mails.get(seq);
  if (!mail) return;
  mailbox.bytes -= mail.bytes.length;
  mailbox.mails.delete(seq);
}

function lose(mailbox: MailboxRow, seq: number, reason: GapRecord['reason']): void {
  forget(mailbox, seq);
  mailbox.gap = mergeGaps(mailbox.gap, gapOf(seq, reason));
}

function loseOldest(mailbox: MailboxRow, reason: GapRecord['reason']): void {
  const [oldest] = mailbox.mails.keys();
  if (oldest !== undefined) lose(mailbox, oldest, reason);
}

/** Loses what was taken before `horizon` (ms); how many. */
function expireMailbox(mailbox: MailboxRow, horizon: number): number {
  let expired = 0;
  for (const [seq, { at }] of mailbox.mails)
    if (at < horizon) {
      lose(mailbox, seq, 'expired');
      expired++;
    }
  return expired;
}
