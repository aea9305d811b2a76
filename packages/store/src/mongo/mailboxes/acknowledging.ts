/** Acknowledgements, sessions: the changes that a device itself makes to its mailbox. */
import type { DeviceId } from '@sealwire/wire/ids';
import type { Acknowledgement, Mailboxes } from '../../port.ts';
import { mailId } from '../bytes.ts';
import type { MailboxDocument } from '../documents.ts';
import type { Ground } from '../ground.ts';
import type { Heads } from './heads.ts';

export function mongoAcknowledging(ground: Ground, heads: Heads): Pick<Mailboxes, 'acknowledge' | 'claimSession'> {
  const { engine, documents } = ground;

  async function mailboxesOf(devices: readonly DeviceId[]): Promise<Map<string, MailboxDocument>> {
    const found = await heads.documentsOf([...new Set(devices)]);
    return new Map(found.map((mailbox) => [mailbox.device, mailbox]));
  }

  return {
    async acknowledge(batch) {
      if (batch.length === 0) return [];
      const mailboxes = await mailboxesOf(batch.map(({ device }) => device));
      const valid = (entry: Acknowledgement) => {
        const mailbox = mailboxes.get(entry.device);
        return mailbox !== undefined && entry.session >= mailbox.session;
      };
      // The furthest of each device: the same as all of them.
      const furthest = new Map<DeviceId, Acknowledgement>();
      for (const entry of batch) {
        const known = furthest.get(entry.device);
        if (valid(entry) && (!known || entry.upTo > known.upTo)) furthest.set(entry.device, entry);
      }
      const news = [...furthest.values()].flatMap(({ device, session, upTo }) => {
        const mailbox = mailboxes.get(device)!;
        const seq = Math.min(upTo, mailbox.last);
        const endsGap = mailbox.gap !== null && mailbox.gap.toSeq <= seq;
        return seq > mailbox.acked || endsGap ? [{ mailbox, session, seq: Math.max(seq, mailbox.acked), endsGap }] : [];
      });
      if (news.length === 0) return batch.map((entry) => (valid(entry) ? 'done' : 'superseded'));
      const { matchedCount } = await engine.write(() =>
        documents.mailboxes.bulkWrite(
          news.map(({ mailbox, session, seq }) => ({
            updateOne: {
              filter: { _id: mailbox._id, session: { $lte: session }, gone: { $exists: false } },
              update: { $max: { acked: seq } },
            },
          })),
          { ordered: false },
        ),
      );
      if (matchedCount < news.length) {
        // Somebody claimed a newer session in between: judge again. What was acknowledged already stays so.
        return this.acknowledge(batch);
      }
      for (const { mailbox, seq, endsGap } of news)
        if (endsGap)
          await engine.write(() =>
            documents.mailboxes.updateOne(
              { _id: mailbox._id, 'gap.toSeq': { $lte: seq } },
              { $set: { gap: null }, $inc: { rev: 1 } },
            ),
          );
      await engine.write(() =>
        documents.mails.bulkWrite(
          news.map(({ mailbox, seq }) => ({
            // Tombstones stay: they tell a repeat that the number never had a message.
            deleteMany: {
              filter: {
                _id: { $gte: mailId(mailbox._id, 0), $lte: mailId(mailbox._id, seq) },
                void: { $exists: false },
              },
            },
          })),
          { ordered: false },
        ),
      );
      return batch.map((entry) => (valid(entry) ? 'done' : 'superseded'));
    },

    async claimSession(device, session) {
      const mailbox = (await mailboxesOf([device])).get(device);
      if (!mailbox) return undefined;
      const { _id } = mailbox;
      const after = await engine.write(() =>
        documents.mailboxes.findOneAndUpdate(
          { _id, gone: { $exists: false } },
          { $max: { session } },
          { returnDocument: 'after', projection: { session: 1 } },
        ),
      );
      return after?.session;
    },
  };
}
