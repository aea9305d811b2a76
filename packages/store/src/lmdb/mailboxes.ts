/** Mailboxes, in LMDB (docs/adr/0002-mailbox-layout.md). */
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { AppendResult, Mail, Mailboxes, MailboxLimits } from '../port.ts';
import { isSameBytes } from '../sameness.ts';
import type { AcceptedLog } from './accepted-log.ts';
import type { Environment } from './environment.ts';
import type { Mailbag } from './mailbag.ts';
import { Mailbox } from './mailbox.ts';
import type { NewMail } from './segment.ts';
import type { Writer } from './writer.ts';

/** Mailboxes that the sweep looks at before it gives way to others. */
const SWEEP_AT_ONCE = 500;

interface OwnMail {
  readonly sender: DeviceId;
  readonly id: Uint8Array;
  readonly digest: Uint8Array;
  readonly at: number;
  readonly recipients: readonly { readonly device: DeviceId; readonly mail: NewMail }[];
}

export function lmdbMailboxes(environment: Environment, writer: Writer, mailbag: Mailbag, log: AcceptedLog): Mailboxes {
  const { databases, renew } = environment;
  const db = databases.mailboxes;

  /** Devices in the order of their ids, from `start`: those whose mailbox holds something older than `horizon`. */
  function overdue(start: Buffer, horizon: number): { devices: DeviceId[]; next: Buffer | undefined } {
    renew();
    const keys = [...databases.devices.getKeys({ start, limit: SWEEP_AT_ONCE })];
    const ids = keys.map((key) => key.toString('utf8') as DeviceId);
    const devices = ids.filter((id) => (Mailbox.open(db, id)?.head.oldest ?? Number.POSITIVE_INFINITY) < horizon);
    const last = keys[SWEEP_AT_ONCE - 1];
    return { devices, next: last && Buffer.concat([last, Buffer.of(0)]) };
  }

  return {
    async append(batch, limits) {
      const own = batch.map(copyMail);
      const rules = { ...limits };
      return writer.run(() => own.map((mail) => appendOne(mailbag, log, mail, rules)));
    },

    async read(device, after, maxMessages, maxBytes, now, lifeMs) {
      renew();
      const mailbox = Mailbox.open(db, device);
      return mailbox?.page(after, maxMessages, maxBytes, now - lifeMs) ?? { mails: [], end: true, lastSeq: 0 };
    },

    async acknowledge(batch) {
      const own = batch.map(({ device, session, upTo, also }) => ({ device, session, upTo, also: [...also] }));
      return writer.run(() =>
        own.map(({ device, session, upTo, also }) => {
          const mailbox = mailbag.get(device);
          if (!mailbox || session < mailbox.head.session) return 'superseded';
          mailbox.forgetUpTo(upTo);
          if (also.length > 0) mailbox.forget(also.sort((a, b) => a - b));
          mailbox.closeGap((seq) => seq <= upTo || also.includes(seq));
          return 'done';
        }),
      );
    },

    async claimSession(device, session) {
      return writer.run(() => {
        const mailbox = mailbag.get(device);
        if (!mailbox || session < mailbox.head.session) return 'superseded';
        mailbox.claim(session);
        return 'claimed';
      });
    },

    async usage(device) {
      renew();
      const head = Mailbox.open(db, device)?.head;
      return { messages: head?.messages ?? 0, bytes: head?.bytes ?? 0 };
    },

    async expire(now, lifeMs) {
      const horizon = now - lifeMs;
      let expired = 0;
      for (let start: Buffer | undefined = Buffer.of(0); start; ) {
        const { devices, next } = overdue(start, horizon);
        for (const device of devices) expired += await writer.run(() => mailbag.get(device)?.expire(horizon) ?? 0);
        await new Promise((resolve) => setImmediate(resolve));
        start = next;
      }
      while (await writer.run(() => log.forget(now - LIMITS.repeatMemoryMs.value)));
      return expired;
    },
  };
}

/** The caller may write into its arrays once the call has returned. A body that several recipients share is copied once. */
function copyMail({ sender, id, digest, at, recipients }: Mail): OwnMail {
  const copies = new Map<Uint8Array, Uint8Array>();
  const copy = (piece: Uint8Array): Uint8Array => {
    const known = copies.get(piece);
    if (known) return known;
    const fresh = Uint8Array.prototype.slice.call(piece);
    copies.set(piece, fresh);
    return fresh;
  };
  return {
    sender,
    id: Uint8Array.prototype.slice.call(id),
    digest: Uint8Array.prototype.slice.call(digest),
    at,
    recipients: recipients.map(({ device, pieces }) => {
      let size = 0;
      for (const piece of pieces) size += piece.length;
      return { device, mail: { at, pieces: pieces.map(copy), size } };
    }),
  };
}

function appendOne(mailbag: Mailbag, log: AcceptedLog, mail: OwnMail, limits: MailboxLimits): AppendResult {
  const before = log.find(mail.sender, mail.id);
  if (before) return { status: isSameBytes(before, mail.digest) ? 'repeated' : 'conflict' };

  const unknown: DeviceId[] = [];
  const mailboxes: Mailbox[] = [];
  for (const { device } of mail.recipients) {
    const mailbox = mailbag.get(device);
    if (mailbox) mailboxes.push(mailbox);
    else unknown.push(device);
  }
  if (unknown.length > 0) return { status: 'unknown', devices: unknown };

  // Counted first, because a device may be named more than once.
  for (const [i, { mail: own }] of mail.recipients.entries()) mailboxes[i]?.expect(own.size);
  const full = new Set<DeviceId>();
  for (const [i, { device }] of mail.recipients.entries())
    if (!mailboxes[i]?.makeRoom(mail.at - limits.lifeMs, limits)) full.add(device);
  if (full.size === 0 && limits.whenFull === 'trim') for (const mailbox of mailboxes) mailbox.trim(limits);
  for (const mailbox of mailboxes) mailbox.expectNothing();
  if (full.size > 0) return { status: 'full', devices: [...full] };

  const seqs = mail.recipients.map(({ mail: own }, i) => (mailboxes[i] as Mailbox).push(own));
  log.add(mail.sender, mail.id, mail.digest, mail.at);
  return { status: 'accepted', seqs };
}
