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

interface OwnRecipient {
  readonly device: DeviceId;
  readonly mail: NewMail;
}

interface OwnMail extends Sent {
  readonly recipients: readonly OwnRecipient[];
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
 * small ones would cost more than the copying. Plain loops, because this runs for every message of the relay.
 */
function copyBatch(batch: readonly Mail[]): OwnMail[] {
  let size = 0;
  for (const mail of batch) size += sizeOf(mail);
  const arena = Buffer.allocUnsafe(size);
  const own: OwnMail[] = [];
  let end = 0;
  for (const { sender, id, digest, at, recipients } of batch) {
    const idAt = end;
    const digestAt = idAt + id.length;
    const firstAt = digestAt + digest.length;
    arena.set(id, idAt);
    arena.set(digest, digestAt);
    const mails: OwnRecipient[] = [];
    end = firstAt;
    for (const { device, pieces } of recipients) {
      const ranges: number[] = [];
      let bytes = 0;
      // Where the first recipient's piece of this place is: its pieces lie one after the other.
      let sharedAt = firstAt;
      for (let place = 0; place < pieces.length; place++) {
        const piece = pieces[place] as Uint8Array;
        const isCopied = mails.length > 0 && isShared(recipients, piece, place);
        const begin = isCopied ? sharedAt : end;
        if (!isCopied) {
          arena.set(piece, end);
          end += piece.length;
        }
        bytes += piece.length;
        sharedAt += recipients[0]?.pieces[place]?.length ?? 0;
        if (ranges[ranges.length - 1] === begin) ranges[ranges.length - 1] = begin + piece.length;
        else ranges.push(begin, begin + piece.length);
      }
      mails.push({ device, mail: { at, size: bytes, arena, ranges } });
    }
    own.push({ sender, at, arena, idAt, digestAt, digestEnd: firstAt, recipients: mails });
  }
  return own;
}

function sizeOf({ id, digest, recipients }: Mail): number {
  let size = id.length + digest.length;
  for (let i = 0; i < recipients.length; i++) {
    const { pieces } = recipients[i] as Mail['recipients'][number];
    for (let place = 0; place < pieces.length; place++) {
      const piece = pieces[place] as Uint8Array;
      if (i === 0 || !isShared(recipients, piece, place)) size += piece.length;
    }
  }
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
  for (let i = 0; i < mailboxes.length; i++) mailboxes[i]?.expect(recipients[i]?.mail.size ?? 0);
  const full: DeviceId[] = [];
  for (let i = 0; i < mailboxes.length; i++) {
    const device = recipients[i]?.device;
    if (device && !mailboxes[i]?.hasRoom(at - limits.lifeMs, limits)) full.push(device);
  }
  for (const mailbox of mailboxes) {
    if (full.length === 0) mailbox.trim(limits);
    mailbox.expectNothing();
  }
  return full.length > 1 ? [...new Set(full)] : full;
}
