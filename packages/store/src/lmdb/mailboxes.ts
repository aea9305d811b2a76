/** Mailboxes, in LMDB and the journal (docs/adr/0012-a-journal-before-the-mailboxes.md). */
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import type { AppendResult, Mail, Mailboxes, MailboxLimits } from '../port.ts';
import type { Environment } from './environment.ts';
import type { AcceptedLog } from './ids/accepted-ids.ts';
import type { Journal } from './log/commit-log.ts';
import { firstRow, markTaken, nextRow, partOfAcknowledgements, partOfBatch, sizeOf } from './log/log-record.ts';
import { Mailbox } from './mailboxes/mailbox.ts';
import type { Mailbag } from './mailboxes/open-mailboxes.ts';
import { ReadMailboxes } from './mailboxes/read-mailboxes.ts';
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
  const { databases } = environment;
  const db = databases.mailboxes;
  const reading = new ReadMailboxes(environment, journal, log.indexFlight);

  /** Of the message that is being appended, as many as it has recipients. It never becomes shorter: it would lose its memory. */
  const touched: Mailbox[] = [];

  /** Devices in the order of their ids, from `start`: those whose mailbox holds something older than `horizon`. */
  function overdue(start: Buffer, horizon: number): { devices: DeviceId[]; next: Buffer | undefined } {
    reading.learn();
    const keys = [...databases.devices.getKeys({ start, limit: SWEEP_AT_ONCE })];
    const ids = keys.map((key) => key.toString('utf8') as DeviceId);
    const devices = ids.filter(
      (id) => (Mailbox.open(db, journal, id)?.head.oldest ?? Number.POSITIVE_INFINITY) < horizon,
    );
    const last = keys[SWEEP_AT_ONCE - 1];
    return { devices, next: last && Buffer.concat([last, Buffer.of(0)]) };
  }

  function appendOne(
    mail: Mail,
    part: Buffer,
    entry: number,
    fingerprint: number,
    limits: MailboxLimits,
  ): AppendResult {
    const before = log.find(part, entry, mail.sender, fingerprint);
    if (before !== 'new') return { status: before };

    const { recipients } = mail;
    let unknown: DeviceId[] | undefined;
    for (let i = 0; i < recipients.length; i++) {
      const { device } = recipients[i] as Mail['recipients'][number];
      const mailbox = mailbag.get(device);
      if (mailbox) {
        touched[i] = mailbox;
      } else {
        unknown ??= [];
        unknown.push(device);
      }
    }
    if (unknown) return { status: 'unknown', devices: unknown };

    const full = makeRoom(mail, touched, part, entry, limits);
    if (full) return { status: 'full', devices: full };
    log.add({ part, entry, sender: mail.sender }, fingerprint);
    markTaken(part, entry, true);
    let row = firstRow(part, entry);
    let seqs: number[] | undefined;
    for (let i = 0; i < recipients.length; i++) {
      const seq = (touched[i] as Mailbox).push(part, row, journal.number);
      // A list that begins empty has room for seventeen with its first element.
      if (seqs) seqs.push(seq);
      else seqs = [seq];
      journal.name(recipients[i]?.device as DeviceId);
      row = nextRow(part, row);
    }
    return { status: 'accepted', seqs: seqs ?? [] };
  }

  return {
    async append(batch, limits) {
      const { part, entries } = partOfBatch(batch, journal.allocate);
      const rules = { ...limits };
      try {
        return await writer.runInJournal(() => {
          journal.add(part);
          // It may be here for the second time.
          for (const entry of entries) markTaken(part, entry, false);
          const fingerprints = log.fingerprints(part, entries);
          let isTaken = false;
          const results: AppendResult[] = [];
          for (let i = 0; i < batch.length; i++) {
            const result = appendOne(batch[i] as Mail, part, entries[i] as number, fingerprints[i] as number, rules);
            if (result.status === 'accepted') isTaken = true;
            results.push(result);
          }
          if (!isTaken) journal.takeBack();
          return results;
        });
      } finally {
        journal.release(part);
      }
    },

    async read(device, after, maxMessages, maxBytes, now, lifeMs) {
      return (
        reading.get(device)?.page(after, maxMessages, maxBytes, now - lifeMs) ?? { mails: [], end: true, lastSeq: 0 }
      );
    },

    async acknowledge(batch) {
      const own = batch.map(({ device, session, upTo, also }) => ({ device, session, upTo, also: [...also] }));
      return writer.runInJournal(() => {
        const moved: { device: DeviceId; upTo: number }[] = [];
        const results = own.map(({ device, session, upTo, also }) => {
          const mailbox = mailbag.get(device);
          if (!mailbox || session < mailbox.head.session) return 'superseded';
          if (mailbox.forgetUpTo(upTo)) moved.push({ device, upTo });
          if (also.length > 0) mailbox.forget(also.sort((a, b) => a - b));
          mailbox.closeGap((seq) => seq <= upTo || also.includes(seq));
          return 'done';
        });
        if (moved.length > 0) journal.add(partOfAcknowledgements(moved));
        for (const { device } of moved) journal.name(device);
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
      // So that ids are not remembered for ever where little is sent.
      await writer.run(() => mailbag.settleAll());
      while (await writer.run(() => log.forget(now - LIMITS.repeatMemoryMs.value)));
      await writer.run(() => log.learn());
      return expired;
    },
  };
}

/** Those that have no room; undefined: all have, or made theirs. */
function makeRoom(
  { recipients, at }: Mail,
  mailboxes: readonly Mailbox[],
  part: Buffer,
  entry: number,
  limits: MailboxLimits,
): DeviceId[] | undefined {
  // Counted first, because a device may be named more than once.
  let row = firstRow(part, entry);
  for (let i = 0; i < recipients.length; i++) {
    mailboxes[i]?.expect(sizeOf(part, row));
    row = nextRow(part, row);
  }
  let full: Set<DeviceId> | undefined;
  for (let i = 0; i < recipients.length; i++) {
    if (mailboxes[i]?.hasRoom(at - limits.lifeMs, limits)) continue;
    full ??= new Set();
    full.add(recipients[i]?.device as DeviceId);
  }
  for (let i = 0; i < recipients.length; i++) {
    if (!full) mailboxes[i]?.trim(limits);
    mailboxes[i]?.expectNothing();
  }
  return full && [...full];
}
