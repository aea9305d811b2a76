/** Mailboxes, in LMDB (docs/adr/0012-a-journal-before-the-mailboxes.md). */
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { AppendResult, Mailboxes, MailboxLimits } from '../port.ts';
import type { AcceptedLog } from './accepted-log.ts';
import type { Environment } from './environment.ts';
import type { Journal } from './journal.ts';
import { type Appended, markTaken, recordOfAcknowledgements, recordOfBatch } from './journal-record.ts';
import type { Mailbag } from './mailbag.ts';
import { Mailbox } from './mailbox.ts';
import { ReadMailboxes } from './read-mailboxes.ts';
import type { MailCopy } from './segment.ts';
import type { Writer } from './writer.ts';

/** Mailboxes that the sweep looks at before it gives way to others. */
const SWEEP_AT_ONCE = 500;

export function lmdbMailboxes(
  environment: Environment,
  writer: Writer,
  journal: Journal,
  mailbag: Mailbag,
  log: AcceptedLog,
): Mailboxes {
  const { databases, renew } = environment;
  const db = databases.mailboxes;
  const reading = new ReadMailboxes(environment, journal);

  /** Devices in the order of their ids, from `start`: those whose mailbox holds something older than `horizon`. */
  function overdue(start: Buffer, horizon: number): { devices: DeviceId[]; next: Buffer | undefined } {
    renew();
    journal.learn();
    const keys = [...databases.devices.getKeys({ start, limit: SWEEP_AT_ONCE })];
    const ids = keys.map((key) => key.toString('utf8') as DeviceId);
    const devices = ids.filter(
      (id) => (Mailbox.open(db, journal, id)?.head.oldest ?? Number.POSITIVE_INFINITY) < horizon,
    );
    const last = keys[SWEEP_AT_ONCE - 1];
    return { devices, next: last && Buffer.concat([last, Buffer.of(0)]) };
  }

  return {
    async append(batch, limits) {
      const { record, appended } = recordOfBatch(batch, journal.allocate);
      const rules = { ...limits };
      return writer.run(() => {
        const devices: DeviceId[] = [];
        const results: AppendResult[] = [];
        for (const mail of appended) results.push(appendOne(mailbag, log, mail, rules, devices));
        if (devices.length > 0) journal.add(record, devices);
        else journal.discard(record);
        return results;
      });
    },

    async read(device, after, maxMessages, maxBytes, now, lifeMs) {
      return (
        reading.get(device)?.page(after, maxMessages, maxBytes, now - lifeMs) ?? { mails: [], end: true, lastSeq: 0 }
      );
    },

    async acknowledge(batch) {
      const own = batch.map(({ device, session, upTo, also }) => ({ device, session, upTo, also: [...also] }));
      return writer.run(() => {
        const moved: { device: DeviceId; upTo: number }[] = [];
        const results = own.map(({ device, session, upTo, also }) => {
          const mailbox = mailbag.get(device);
          if (!mailbox || session < mailbox.head.session) return 'superseded';
          if (mailbox.forgetUpTo(upTo)) moved.push({ device, upTo });
          if (also.length > 0) mailbox.forget(also.sort((a, b) => a - b));
          mailbox.closeGap((seq) => seq <= upTo || also.includes(seq));
          return 'done';
        });
        if (moved.length > 0)
          journal.add(
            recordOfAcknowledgements(moved),
            moved.map(({ device }) => device),
          );
        return results;
      });
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
      const head = reading.get(device)?.head;
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

/** `devices`: who got something, for the journal. */
function appendOne(
  mailbag: Mailbag,
  log: AcceptedLog,
  mail: Appended,
  limits: MailboxLimits,
  devices: DeviceId[],
): AppendResult {
  const fingerprint = log.fingerprint(mail);
  const before = log.find(mail, fingerprint);
  if (before !== 'new') return { status: before };

  const { copies } = mail;
  let unknown: DeviceId[] | undefined;
  const mailboxes: Mailbox[] = [];
  for (let i = 0; i < copies.length; i++) {
    const { device } = copies[i] as MailCopy;
    const mailbox = mailbag.get(device);
    if (mailbox) {
      mailboxes.push(mailbox);
    } else {
      unknown ??= [];
      unknown.push(device);
    }
  }
  if (unknown) return { status: 'unknown', devices: unknown };

  const full = makeRoom(mailboxes, mail, limits);
  if (full) return { status: 'full', devices: full };
  log.add(mail, fingerprint);
  markTaken(mail);
  const seqs: number[] = [];
  for (let i = 0; i < copies.length; i++) {
    const copy = copies[i] as MailCopy;
    seqs.push((mailboxes[i] as Mailbox).push(copy));
    devices.push(copy.device);
  }
  return { status: 'accepted', seqs };
}

/** Those that have no room; undefined: all have, or made theirs. */
function makeRoom(
  mailboxes: readonly Mailbox[],
  { at, copies }: Appended,
  limits: MailboxLimits,
): DeviceId[] | undefined {
  // Counted first, because a device may be named more than once.
  for (let i = 0; i < mailboxes.length; i++) mailboxes[i]?.expect(copies[i]?.size ?? 0);
  let full: Set<DeviceId> | undefined;
  for (let i = 0; i < mailboxes.length; i++) {
    if (mailboxes[i]?.hasRoom(at - limits.lifeMs, limits)) continue;
    full ??= new Set();
    full.add((copies[i] as MailCopy).device);
  }
  for (let i = 0; i < mailboxes.length; i++) {
    if (!full) mailboxes[i]?.trim(limits);
    mailboxes[i]?.expectNothing();
  }
  return full && [...full];
}
