/** Mailboxes, in LMDB (docs/adr/0002-mailbox-layout.md). */
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { AppendResult, Mail, Mailboxes, MailboxLimits } from '../port.ts';
import type { AcceptedLog, Sent } from './accepted-log.ts';
import type { Environment } from './environment.ts';
import type { Mailbag } from './mailbag.ts';
import { Mailbox } from './mailbox.ts';
import type { NewMail } from './segment.ts';
import type { Writer } from './writer.ts';

/** Mailboxes that the sweep looks at before it gives way to others. */
const SWEEP_AT_ONCE = 500;

interface OwnMail extends Sent {
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
      const own = copyBatch(batch);
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

/**
 * The caller may write into its arrays once the call has returned. All copies of a batch lie in one allocation, because thousands of
 * small ones would cost more than the copying.
 */
function copyBatch(batch: readonly Mail[]): OwnMail[] {
  const arena = Buffer.allocUnsafe(batch.reduce((sum, mail) => sum + sizeOf(mail), 0));
  let end = 0;
  const copy = (bytes: Uint8Array): number => {
    arena.set(bytes, end);
    end += bytes.length;
    return end - bytes.length;
  };
  return batch.map(({ sender, id, digest, at, recipients }) => {
    const idAt = copy(id);
    const digestAt = copy(digest);
    const digestEnd = end;
    const begins: number[] = [];
    const own = recipients.map(({ device, pieces }, i) => {
      const ranges: number[] = [];
      let size = 0;
      for (let j = 0; j < pieces.length; j++) {
        const piece = pieces[j] as Uint8Array;
        const begin = i > 0 && isShared(recipients, piece, j) ? (begins[j] as number) : copy(piece);
        if (i === 0) begins.push(begin);
        size += piece.length;
        if (ranges[ranges.length - 1] === begin) ranges[ranges.length - 1] = begin + piece.length;
        else ranges.push(begin, begin + piece.length);
      }
      return { device, mail: { at, size, arena, ranges } };
    });
    return { sender, at, arena, idAt, digestAt, digestEnd, recipients: own };
  });
}

function sizeOf({ id, digest, recipients }: Mail): number {
  let size = id.length + digest.length;
  for (let i = 0; i < recipients.length; i++)
    recipients[i]?.pieces.forEach((piece, j) => {
      if (i === 0 || !isShared(recipients, piece, j)) size += piece.length;
    });
  return size;
}

/** Whether the first recipient gets the very same piece at this place: the body of a message is copied once, whoever gets it. */
function isShared(recipients: Mail['recipients'], piece: Uint8Array, place: number): boolean {
  return recipients[0]?.pieces[place] === piece;
}

function appendOne(mailbag: Mailbag, log: AcceptedLog, mail: OwnMail, limits: MailboxLimits): AppendResult {
  const before = log.find(mail);
  if (before !== 'new') return { status: before };

  const unknown: DeviceId[] = [];
  const mailboxes: Mailbox[] = [];
  for (const { device } of mail.recipients) {
    const mailbox = mailbag.get(device);
    if (mailbox) mailboxes.push(mailbox);
    else unknown.push(device);
  }
  if (unknown.length > 0) return { status: 'unknown', devices: unknown };

  const full = makeRoom(mailboxes, mail, limits);
  if (full.length > 0) return { status: 'full', devices: full };
  log.add(mail);
  return { status: 'accepted', seqs: mail.recipients.map(({ mail: own }, i) => (mailboxes[i] as Mailbox).push(own)) };
}

/** Those that have no room; if there are none, the others made theirs. */
function makeRoom(mailboxes: readonly Mailbox[], { at, recipients }: OwnMail, limits: MailboxLimits): DeviceId[] {
  // Counted first, because a device may be named more than once.
  for (const [i, mailbox] of mailboxes.entries()) mailbox.expect(recipients[i]?.mail.size ?? 0);
  const full = new Set<DeviceId>();
  for (const [i, mailbox] of mailboxes.entries()) {
    const device = recipients[i]?.device;
    if (device && !mailbox.hasRoom(at - limits.lifeMs, limits)) full.add(device);
  }
  for (const mailbox of mailboxes) {
    if (full.size === 0) mailbox.trim(limits);
    mailbox.expectNothing();
  }
  return [...full];
}
