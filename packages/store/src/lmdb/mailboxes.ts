/** Mailboxes, in LMDB and its commit log (README.md). */
import type { DeviceId } from '@sealwire/wire/ids';
import type { AppendResult, Mail, Mailboxes, MailboxLimits } from '../port.ts';
import type { Environment } from './environment.ts';
import type { AcceptedIds } from './ids/accepted-ids.ts';
import type { CommitLog } from './log/commit-log.ts';
import {
  firstRow,
  type MailboxChange,
  markNotTaken,
  markTaken,
  nextRow,
  partOfBatch,
  partOfChanges,
  setSeq,
  sizeOf,
} from './log/log-record.ts';
import { oldestOf } from './mailboxes/head.ts';
import type { OpenMailbox } from './mailboxes/open-mailbox.ts';
import type { NamedChange, OpenMailboxes } from './mailboxes/open-mailboxes.ts';
import type { ReadMailboxes } from './mailboxes/read-mailboxes.ts';
import { prefixedKey } from './records/keys.ts';
import type { Writer } from './writer.ts';

/** Mailboxes that the sweep looks at before it gives way to others. */
const SWEEP_AT_ONCE = 500;
const FIRST = Buffer.of(0);
const NOBODY: readonly DeviceId[] = [];

/** `writer` is the log's. */
export function lmdbMailboxes(
  { databases, renew }: Environment,
  writer: Writer,
  log: CommitLog,
  mailboxes: OpenMailboxes,
  reading: ReadMailboxes,
  ids: AcceptedIds,
): Mailboxes {
  /**
   * Of the message that is being appended, as many as it has recipients. It never becomes shorter:
   * it would lose its memory.
   */
  const named: OpenMailbox[] = [];
  /** Where the sweep goes on. */
  let sweepFrom: Buffer = FIRST;

  /** And what the mailboxes that were opened for these have to say of themselves. */
  function say(changes: readonly NamedChange[]): void {
    const all = [...mailboxes.takeResumed(), ...changes];
    if (all.length > 0) log.add(partOfChanges(all));
    for (const { device } of all) log.name(device);
  }

  function appendOne(
    mail: Mail,
    part: Buffer,
    entry: number,
    fingerprint: number,
    limits: MailboxLimits,
    changes: NamedChange[],
  ): AppendResult {
    const { sender, recipients } = mail;
    const finding = ids.find(part, entry, sender, fingerprint);
    if (finding === 'conflict') return { status: 'conflict' };
    if (finding !== 'new') return { status: 'repeated', refused: finding.refused };

    let unknown: DeviceId[] | undefined;
    for (let i = 0; i < recipients.length; i++) {
      const { device } = recipients[i] as Mail['recipients'][number];
      const mailbox = mailboxes.get(device);
      if (mailbox) named[i] = mailbox;
      else {
        unknown ??= [];
        unknown.push(device);
      }
    }
    if (unknown) return { status: 'unknown', devices: unknown };

    const refused = withoutRoom(mail, part, entry, limits, changes);
    if (refused && recipients.every(({ device }) => refused.has(device)))
      return { status: 'full', devices: [...refused] };
    ids.add(part, entry, fingerprint);
    markTaken(part, entry, !refused);
    let row = firstRow(part, entry);
    let seqs: number[] | undefined;
    for (let i = 0; i < recipients.length; i++) {
      const { device } = recipients[i] as Mail['recipients'][number];
      let seq = 0;
      if (refused?.has(device)) setSeq(part, row, 0);
      else {
        seq = (named[i] as OpenMailbox).push(part, row, log.lsn);
        if (seq > log.highestSeq) log.highestSeq = seq;
        log.name(device);
      }
      // A list that begins empty has room for seventeen with its first element.
      if (seqs) seqs.push(seq);
      else seqs = [seq];
      row = nextRow(part, row);
    }
    return { status: 'accepted', seqs: seqs ?? [], refused: refused ? [...refused] : NOBODY };
  }

  /** Those that have no room and could make none; undefined: all have. */
  function withoutRoom(
    { recipients, at }: Mail,
    part: Buffer,
    entry: number,
    limits: MailboxLimits,
    changes: NamedChange[],
  ): Set<DeviceId> | undefined {
    // Counted first, because a device may be named more than once.
    let row = firstRow(part, entry);
    for (let i = 0; i < recipients.length; i++) {
      named[i]?.expect(sizeOf(part, row));
      row = nextRow(part, row);
    }
    let refused: Set<DeviceId> | undefined;
    for (let i = 0; i < recipients.length; i++) {
      const mailbox = named[i] as OpenMailbox;
      const { device, room } = recipients[i] as Mail['recipients'][number];
      if (mailbox.fits(room ?? limits)) continue;
      const lost: MailboxChange[] = [];
      if (!mailbox.makeRoom(at - limits.lifeMs, room ? { ...limits, ...room } : limits, log.lsn, lost)) {
        refused ??= new Set();
        refused.add(device);
      }
      for (const change of lost) changes.push({ device, change });
    }
    for (let i = 0; i < recipients.length; i++) named[i]?.expectNothing();
    return refused;
  }

  /**
   * Devices from the one that the sweep has come to, and whether they are the last: those whose
   * mailbox holds something older than `horizon`.
   */
  function overdue(horizon: number): { devices: DeviceId[]; isEnd: boolean; next: Buffer } {
    renew();
    const keys = [...databases.devices.getKeys({ start: sweepFrom, limit: SWEEP_AT_ONCE })];
    const devices = keys
      .map((key) => key.toString('utf8') as DeviceId)
      .filter((device) => {
        if (log.entriesOf(device).length > 0) return (reading.get(device)?.oldest ?? horizon) < horizon;
        const head = databases.mailboxes.getBinaryFast(prefixedKey(device));
        return head !== undefined && oldestOf(head) < horizon;
      });
    const isEnd = keys.length < SWEEP_AT_ONCE;
    return { devices, isEnd, next: isEnd ? FIRST : Buffer.concat([keys.at(-1) as Buffer, FIRST]) };
  }

  function expireOne(device: DeviceId, horizon: number): Promise<number> {
    return writer.run(() => {
      const losses = mailboxes.get(device)?.expire(horizon, log.lsn) ?? [];
      say(losses.map((change) => ({ device, change })));
      return losses.reduce((sum, { lost }) => sum + lost.length, 0);
    });
  }

  return {
    async append(batch, limits) {
      const { part, entries } = partOfBatch(batch, log.allocate);
      const rules = { ...limits };
      ids.remember(rules.memory);
      try {
        return await writer.run(() => {
          log.add(part);
          // It may be here for the second time.
          for (const entry of entries) markNotTaken(part, entry);
          const fingerprints = ids.fingerprints(part, entries);
          const changes: NamedChange[] = [];
          let isTaken = false;
          const results: AppendResult[] = [];
          for (let i = 0; i < batch.length; i++) {
            const fingerprint = fingerprints[i] as number;
            const result = appendOne(batch[i] as Mail, part, entries[i] as number, fingerprint, rules, changes);
            if (result.status === 'accepted') isTaken = true;
            results.push(result);
          }
          if (!isTaken) log.takeBack();
          say(changes);
          return results;
        });
      } finally {
        log.release(part);
      }
    },

    async read(device, bounds) {
      return reading.get(device)?.page(bounds) ?? { mails: [], end: true, settledSeq: 0 };
    },

    async acknowledge(batch) {
      const own = batch.map(({ device, session, upTo }) => ({ device, session, upTo }));
      return writer.run(() => {
        const changes: NamedChange[] = [];
        const results = own.map(({ device, session, upTo }) => {
          const mailbox = mailboxes.get(device);
          if (!mailbox || session < mailbox.session) return 'superseded';
          const change = mailbox.acknowledge(upTo);
          if (change) changes.push({ device, change });
          return 'done';
        });
        say(changes);
        return results;
      });
    },

    async claimSession(device, session) {
      return writer.run(() => {
        const mailbox = mailboxes.get(device);
        if (!mailbox || session < mailbox.session) {
          say([]);
          return mailbox?.session;
        }
        const change = mailbox.claim(session, log.lsn);
        say(change ? [{ device, change }] : []);
        return session;
      });
    },

    async usage(device) {
      const { messages = 0, bytes = 0 } = reading.get(device) ?? {};
      return { messages, bytes };
    },

    async expire(horizon, limit) {
      let expired = 0;
      let left = limit;
      // "None is left" is known after a look at all of them, in one go.
      let isWhole = sweepFrom === FIRST;
      for (;;) {
        const { devices, isEnd, next } = overdue(horizon);
        for (const device of devices) {
          const count = await expireOne(device, horizon);
          expired += count;
          if (count === 0 || --left > 0) continue;
          sweepFrom = Buffer.concat([Buffer.from(device, 'utf8'), FIRST]);
          return expired;
        }
        sweepFrom = next;
        if (isEnd && (isWhole || expired > 0)) return expired;
        isWhole ||= isEnd;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
