/** Mailboxes, in memory: the readable twin of the durable ones. */
import type { DeviceId } from '@sealwire/wire/ids';
import type { AppendResult, Mail, Mailboxes, MailboxLimits } from '../port.ts';
import { isSameBytes } from '../sameness.ts';
import { admit, expireMails, forgetUpTo, type Incoming, pageOf } from './mailbox.ts';
import { type AcceptedRow, type MailboxRow, type MemoryState, textOf } from './state.ts';

export function memoryMailboxes(state: MemoryState): Mailboxes {
  const mailboxOf = (device: DeviceId): MailboxRow | undefined => state.devices.get(device)?.mailbox;

  return {
    async append(batch, limits) {
      return batch.map((mail) => appendOne(state, mail, limits));
    },

    async read(device, bounds) {
      const mailbox = mailboxOf(device);
      if (!mailbox) return { mails: [], end: true, settledSeq: 0 };
      return { ...pageOf(mailbox, bounds), settledSeq: mailbox.lastSeq };
    },

    async acknowledge(batch) {
      return batch.map(({ device, session, upTo }) => {
        const mailbox = mailboxOf(device);
        if (!mailbox || session < mailbox.session) return 'superseded';
        forgetUpTo(mailbox, upTo);
        return 'done';
      });
    },

    async claimSession(device, session) {
      const mailbox = mailboxOf(device);
      if (!mailbox) return undefined;
      mailbox.session = Math.max(mailbox.session, session);
      return mailbox.session;
    },

    async usage(device) {
      const mailbox = mailboxOf(device);
      return { messages: mailbox?.mails.size ?? 0, bytes: mailbox?.bytes ?? 0 };
    },

    async expire(horizon, limit) {
      let expired = 0;
      let left = limit;
      for (const { mailbox } of state.devices.values()) {
        if (left === 0) break;
        const lost = expireMails(mailbox, horizon);
        if (lost > 0) left--;
        expired += lost;
      }
      return expired;
    },
  };
}

function appendOne(state: MemoryState, mail: Mail, limits: MailboxLimits): AppendResult {
  const key = `${textOf(mail.id)}${mail.sender}`;
  const before = state.accepted.get(key);
  if (before && !isSameBytes(before.digest, mail.digest)) return { status: 'conflict' };
  if (before) return { status: 'repeated', refused: before.refused };

  const unknown = mail.recipients.filter(({ device }) => !state.devices.has(device)).map(({ device }) => device);
  if (unknown.length > 0) return { status: 'unknown', devices: unknown };

  // By mailbox, because a device may be named more than once.
  const incoming = new Map<DeviceId, Incoming>();
  for (const { device, own, room } of mail.recipients) {
    const one = incoming.get(device) ?? { sender: mail.sender, at: mail.at, bodies: [], room };
    incoming.set(device, { ...one, bodies: [...one.bodies, new Uint8Array(Buffer.concat([...mail.shared, ...own]))] });
  }
  const seqs = new Map<DeviceId, number[]>();
  for (const [device, one] of incoming) {
    const given = admit(state.devices.get(device)?.mailbox as MailboxRow, one, limits);
    if (given) seqs.set(device, given);
  }
  const refused = [...incoming.keys()].filter((device) => !seqs.has(device));
  if (refused.length > 0 && seqs.size === 0) return { status: 'full', devices: refused };
  remember(state, key, { digest: mail.digest.slice(), at: mail.at, refused }, limits.memory);
  return { status: 'accepted', seqs: mail.recipients.map(({ device }) => seqs.get(device)?.shift() ?? 0), refused };
}

/** And forgets what the bounds of the memory leave no room for. */
function remember(
  { accepted }: MemoryState,
  key: string,
  row: AcceptedRow,
  { ms, messages }: MailboxLimits['memory'],
): void {
  accepted.set(key, row);
  for (const [oldest, { at }] of accepted) {
    if (accepted.size <= messages && at >= row.at - ms) break;
    accepted.delete(oldest);
  }
}
