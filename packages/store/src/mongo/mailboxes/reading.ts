/**
 * Pages of a mailbox. Numbers were given out before their messages were written: where one is missing that is not settled, the page ends,
 * and when it is missing for several reads in a row, its writer has died: a tombstone takes its place.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { LRUCache } from 'lru-cache';
import { gapOf, mergeGaps } from '../../gap.ts';
import type { GapRecord, Mailboxes, MailboxPage, PageBounds, StoredMail } from '../../port.ts';
import { boxOf, bytesOf, mailId, seqOf } from '../bytes.ts';
import type { MailboxDocument, MailDocument } from '../documents.ts';
import type { Ground } from '../ground.ts';
import { closeNumber, contentsOf, isMessage, lose } from './losses.ts';

/** Reads in a row that a missing number holds back. A relay reads again in a moment; a write takes less, or is repeated under another number. */
const PATIENCE = 4;
/** Numbers that one query looks at. */
const WINDOW = 128;
const EMPTY: MailboxPage = { mails: [], end: true, settledSeq: 0 };

export function mongoReading(ground: Ground): Pick<Mailboxes, 'read' | 'usage' | 'expire'> {
  const { engine, documents } = ground;
  /** By mailbox, the number that is missing, and in how many reads it was. */
  const missing = new LRUCache<string, { readonly seq: number; readonly reads: number }>({ max: 10_000 });

  /** Whether the number may still be used. Tombstones take the place of all up to the next that is in use. */
  async function isHeldBack(box: Buffer, seq: number, next: { seq: number; at: number }): Promise<boolean> {
    const name = box.toString('latin1');
    const known = missing.get(name);
    const reads = known?.seq === seq ? known.reads + 1 : 1;
    if (reads < PATIENCE) {
      missing.set(name, { seq, reads });
      return true;
    }
    missing.delete(name);
    for (let one = seq; one < next.seq; one++) if (!(await closeNumber(ground, box, one, next.at))) return true;
    return false;
  }

  function window(box: Buffer, after: number, upTo: number): Promise<MailDocument[]> {
    return engine.read(() =>
      documents.mails
        .find({ _id: { $gt: mailId(box, after), $lte: mailId(box, upTo) } })
        .sort({ _id: 1 })
        .toArray(),
    );
  }

  /** The first that is in use above `seq`. */
  async function nextUsed(box: Buffer, seq: number, last: number): Promise<{ seq: number; at: number } | undefined> {
    for (let after = seq; after < last; after += WINDOW) {
      const [next] = await window(box, after, Math.min(after + WINDOW, last));
      if (next) return { seq: seqOf(next._id), at: next.at };
    }
    return undefined;
  }

  async function page(mailbox: MailboxDocument, bounds: PageBounds): Promise<MailboxPage> {
    const { _id: box, last } = mailbox;
    const floor = Math.max(mailbox.acked, mailbox.settled);
    const losing = new Set(mailbox.losing);
    const mails: StoredMail[] = [];
    let gap: GapRecord | undefined = mailbox.gap ?? undefined;
    let size = 0;
    let cursor = Math.max(bounds.after, mailbox.acked);
    const answer = (end: boolean, settledSeq: number): MailboxPage => ({
      mails,
      end,
      settledSeq: Math.max(settledSeq, mailbox.acked),
      ...(gap && { gap }),
    });
    while (cursor < last) {
      const upTo = Math.min(cursor + WINDOW, last);
      for (const mail of await window(box, cursor, upTo)) {
        const seq = seqOf(mail._id);
        const expected = Math.max(cursor, floor) + 1;
        if (seq > expected && (await isHeldBack(box, expected, { seq, at: mail.at })))
          return answer(false, expected - 1);
        cursor = seq;
        if (!isMessage(mail) || losing.has(seq)) continue;
        if (mail.at < bounds.horizon) {
          gap = mergeGaps(gap, gapOf(seq, 'expired'));
          continue;
        }
        if (mails.length > 0 && (mails.length >= bounds.messages || size + mail.size > bounds.bytes))
          return answer(false, seq - 1);
        size += mail.size;
        mails.push({ seq, at: mail.at, bytes: bytesOf(mail.body) });
      }
      const reached = Math.max(cursor, floor);
      if (reached < upTo) {
        const next = await nextUsed(box, reached, last);
        // Numbers at the end that nobody used yet hold nothing back.
        if (!next) return answer(true, reached);
        if (await isHeldBack(box, reached + 1, next)) return answer(false, reached);
      }
      cursor = Math.max(cursor, upTo);
    }
    return answer(true, Math.max(last, floor));
  }

  return {
    async read(device, bounds) {
      const mailbox = await engine.read(() => documents.mailboxes.findOne({ _id: boxOf(device) }));
      return mailbox && !mailbox.gone ? page(mailbox, bounds) : EMPTY;
    },

    async usage(device) {
      const held = (await contentsOf(ground, device))?.held ?? [];
      return { messages: held.length, bytes: held.reduce((sum, { size }) => sum + size, 0) };
    },

    async expire(horizon, limit) {
      let expired = 0;
      let left = limit;
      const done = new Set<string>();
      while (left > 0) {
        const old = await engine.read(() =>
          documents.mails
            .find({ at: { $lt: horizon } }, { projection: { _id: 1, void: 1 } })
            .limit(1_000)
            .toArray(),
        );
        const tombstones = old.filter((mail) => !isMessage(mail)).map(({ _id }) => _id);
        if (tombstones.length > 0) await engine.write(() => documents.mails.deleteMany({ _id: { $in: tombstones } }));
        const boxes = new Map(
          old.filter(isMessage).map(({ _id }) => [_id.subarray(0, 16).toString('latin1'), _id.subarray(0, 16)]),
        );
        const fresh = [...boxes].filter(([name]) => !done.has(name)).slice(0, left);
        if (fresh.length === 0) return expired;
        for (const [name, box] of fresh) {
          done.add(name);
          const mailbox = await engine.read(() => documents.mailboxes.findOne({ _id: Buffer.from(box) }));
          if (!mailbox || mailbox.gone) {
            await engine.write(() =>
              documents.mails.deleteMany({ _id: { $gte: mailId(box, 0), $lte: mailId(box, 2 ** 48 - 1) } }),
            );
            continue;
          }
          const { lost } = await lose(ground, mailbox.device as DeviceId, 'expired', ({ held }) =>
            held.filter(({ at }) => at < horizon).map(({ seq }) => seq),
          );
          if (lost > 0) left--;
          expired += lost;
          // What is left of it was acknowledged.
          await engine.write(() =>
            documents.mails.deleteMany({
              _id: { $gte: mailId(box, 0), $lte: mailId(box, mailbox.acked) },
              void: { $exists: false },
            }),
          );
        }
      }
      return expired;
    },
  };
}
