/**
 * Pages of a mailbox. Numbers were given out before their messages were written: where one is missing that is not settled, the page ends,
 * and when it is missing for several reads in a row, its writer has died: a tombstone takes its place.
 */
import type { DeviceId } from '@sealwire/wire/ids';
import { LIMITS } from '@sealwire/wire/limits';
import { LRUCache } from 'lru-cache';
import { gapOf, mergeGaps } from '../../gap.ts';
import type { GapRecord, Mailboxes, MailboxPage, PageBounds, StoredMail } from '../../port.ts';
import { BOX_LENGTH, boxOf, bytesOf, LAST_SEQ, mailId, seqOf } from '../bytes.ts';
import type { MailboxDocument, MailDocument } from '../documents.ts';
import { together } from '../engine.ts';
import type { Ground } from '../ground.ts';
import { pause } from '../pause.ts';
import { contentsOf } from './contents.ts';
import { closeNumbers, isMessage, lose } from './losses.ts';

/** Reads in a row that a missing number holds back. A relay reads again in a moment; a write takes less, or is repeated under another number. */
const PATIENCE = 4;
/** Numbers that one query looks at. */
const WINDOW = 128;
/** Old messages that one query of a sweep finds, and mailboxes that are swept at a time. */
const SWEPT = 1_000;
const SWEPT_TOGETHER = 32;
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
    const unused = Array.from({ length: next.seq - seq }, (_, i) => ({ box, seq: seq + i, at: next.at }));
    return !(await closeNumbers(ground, unused));
  }

  /** `withBodies`: when all of the mailbox is small enough for a page. */
  function window(box: Buffer, after: number, upTo: number, withBodies: boolean): Promise<MailDocument[]> {
    const _id = { $gt: mailId(box, after), $lte: mailId(box, upTo) };
    return engine.read(() =>
      documents.mails
        .find({ _id }, withBodies ? {} : { projection: { body: 0, key: 0, from: 0 } })
        .sort({ _id: 1 })
        .batchSize(WINDOW + 1)
        .toArray(),
    );
  }

  /** Of messages that were there a moment ago; those that are gone since are none. */
  async function bodiesOf(box: Buffer, seqs: readonly number[]): Promise<Map<number, Buffer>> {
    const _id = { $in: seqs.map((seq) => mailId(box, seq)) };
    const found = await engine.read(() =>
      documents.mails
        .find({ _id }, { projection: { body: 1, void: 1 } })
        .batchSize(seqs.length + 1)
        .toArray(),
    );
    return new Map(found.filter(isMessage).map(({ _id, body }) => [seqOf(_id), body]));
  }

  /** The first that is in use above `seq`. */
  async function nextUsed(box: Buffer, seq: number, last: number): Promise<{ seq: number; at: number } | undefined> {
    for (let after = seq; after < last; after += WINDOW) {
      const [next] = await window(box, after, Math.min(after + WINDOW, last), false);
      if (next) return { seq: seqOf(next._id), at: next.at };
    }
    return undefined;
  }

  /** The number before the first that is in use, of those that are settled: an embedded store that was damaged, or restored, skips many. */
  async function beforeNext(box: Buffer, after: number, settled: number): Promise<number> {
    const _id = { $gt: mailId(box, after), $lte: mailId(box, settled) };
    const [next] = await engine.read(() =>
      documents.mails
        .find({ _id }, { projection: { _id: 1 } })
        .sort({ _id: 1 })
        .limit(1)
        .toArray(),
    );
    return next ? seqOf(next._id) - 1 : settled;
  }

  async function page(mailbox: MailboxDocument, bounds: PageBounds): Promise<MailboxPage> {
    const { _id: box, last } = mailbox;
    const floor = Math.max(mailbox.acked, mailbox.settled);
    const losing = new Set(mailbox.losing);
    const chosen: { readonly seq: number; readonly at: number; readonly body?: Buffer }[] = [];
    let gap: GapRecord | undefined = mailbox.gap ?? undefined;
    let size = 0;
    let cursor = Math.max(bounds.after, mailbox.acked);
    // Of a deep mailbox sizes are read first, and then the bodies that the page has room for.
    const most = Math.min(mailbox.sum - mailbox.sumGone, (last - cursor) * LIMITS.frameBytes.value);
    const isSmall = most <= bounds.bytes;
    const answer = async (end: boolean, settledSeq: number): Promise<MailboxPage> => {
      const bodies =
        isSmall || chosen.length === 0
          ? undefined
          : await bodiesOf(
              box,
              chosen.map(({ seq }) => seq),
            );
      const mails: StoredMail[] = [];
      for (const { seq, at, body = bodies?.get(seq) } of chosen) {
        // It left in between: what the mailbox says of it by now is the next page's to tell.
        if (!body) return pageOf(mails, false, seq - 1);
        mails.push({ seq, at, bytes: bytesOf(body) });
      }
      return pageOf(mails, end, settledSeq);
    };
    const pageOf = (mails: readonly StoredMail[], end: boolean, settledSeq: number): MailboxPage => ({
      mails,
      end,
      settledSeq: Math.max(settledSeq, mailbox.acked),
      ...(gap && { gap }),
    });
    // One more than fits tells that more follows. Where numbers are missing, the next query looks further.
    for (let span = bounds.messages + 1; cursor < last; span *= 2) {
      const upTo = Math.min(cursor + Math.min(span, WINDOW), last);
      const found = await window(box, cursor, upTo, isSmall);
      for (const mail of found) {
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
        if (chosen.length > 0 && (chosen.length >= bounds.messages || size + mail.size > bounds.bytes))
          return answer(false, seq - 1);
        size += mail.size;
        chosen.push({ seq, at: mail.at, ...(isSmall && { body: mail.body }) });
      }
      const reached = Math.max(cursor, floor);
      if (reached < upTo) {
        const next = await nextUsed(box, reached, last);
        // Numbers at the end that nobody used yet hold nothing back.
        if (!next) return answer(true, reached);
        if (await isHeldBack(box, reached + 1, next)) return answer(false, reached);
      }
      cursor = Math.max(cursor, upTo);
      if (found.length === 0 && floor > cursor) cursor = await beforeNext(box, cursor, floor);
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
            .limit(SWEPT)
            .batchSize(SWEPT)
            .toArray(),
        );
        const tombstones = old.filter((mail) => !isMessage(mail)).map(({ _id }) => _id);
        if (tombstones.length > 0) await engine.write(() => documents.mails.deleteMany({ _id: { $in: tombstones } }));
        const boxes = new Map(
          old.filter(isMessage).map(({ _id }) => [_id.toString('latin1', 0, BOX_LENGTH), _id.subarray(0, BOX_LENGTH)]),
        );
        const fresh = [...boxes].filter(([name]) => !done.has(name)).slice(0, Math.min(left, SWEPT_TOGETHER));
        if (fresh.length === 0) return expired;
        for (const [name] of fresh) done.add(name);
        for (const lost of await sweep(
          fresh.map(([, box]) => box),
          horizon,
        )) {
          if (lost > 0) left--;
          expired += lost;
        }
      }
      return expired;
    },
  };

  /** What these mailboxes lost of what is older; what was acknowledged of them, or belongs to nobody any more, goes too. */
  async function sweep(boxes: readonly Buffer[], horizon: number): Promise<number[]> {
    const found = await engine.read(() => documents.mailboxes.find({ _id: { $in: [...boxes] } }).toArray());
    const there = new Map(
      found.filter(({ gone }) => !gone).map((mailbox) => [mailbox._id.toString('latin1'), mailbox]),
    );
    const lost = await together([...there.values()].map(({ device }) => expireIn(device as DeviceId, horizon)));
    await engine.write(() =>
      documents.mails.bulkWrite(
        boxes.map((box) => {
          const mailbox = there.get(box.toString('latin1'));
          const upTo = mailbox ? mailbox.acked : LAST_SEQ;
          const _id = { $gte: mailId(box, 0), $lte: mailId(box, upTo) };
          return { deleteMany: { filter: mailbox ? { _id, void: { $exists: false } } : { _id } } };
        }),
        { ordered: false },
      ),
    );
    return lost;
  }

  async function expireIn(device: DeviceId, horizon: number): Promise<number> {
    for (let round = 0; ; round++) {
      const contents = await contentsOf(ground, device);
      const old = contents?.held.filter(({ at }) => at < horizon) ?? [];
      if (!contents || old.length === 0) return 0;
      const losses = old.map(({ seq }) => ({ seq, reason: 'expired' as const }));
      if (await lose(ground, contents, losses)) return losses.length;
      await pause(round);
    }
  }
}
