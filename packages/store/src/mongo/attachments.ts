/** Attachments: all of an account in one document, so that what it holds is counted in one write. */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { mongo } from 'mongoose';
import { type Attachment, type Attachments, StoreError } from '../port.ts';
import { GONE_WITH_ACCOUNT, isItsAccounts, isSameAttachment } from '../sameness.ts';
import type { AttachmentFields, AttachmentsDocument } from './documents.ts';
import type { Ground } from './ground.ts';

export function mongoAttachments(ground: Ground): Attachments {
  const { engine, documents } = ground;
  const { attachments } = documents;

  async function held(address: AccountAddress, id: string): Promise<Attachment | undefined> {
    const found = await engine.read(() => attachments.findOne({ _id: address }));
    const fields = found?.held.find((one) => one.id === id);
    return fields && attachmentOf(fields);
  }

  async function isThere(address: AccountAddress): Promise<boolean> {
    return (await engine.read(() => documents.accounts.exists({ _id: address, state: 'active' }).exec())) !== null;
  }

  return {
    async add(address, { id, bytes, handle, expiresAt }, room) {
      if (!(await isThere(address))) throw new StoreError('not-found', 'no such account');
      const attachment = { id, bytes, handle, isComplete: false, expiresAt };
      await engine.write(() =>
        attachments.updateOne({ _id: address }, { $setOnInsert: { bytes: 0, held: [] } }, { upsert: true }),
      );
      const { matchedCount } = await engine.write(() =>
        attachments.updateOne(
          {
            _id: address,
            bytes: { $lte: room.bytes - bytes },
            'held.id': { $ne: id },
            [`held.${room.attachments - 1}`]: { $exists: false },
          } as mongo.Filter<AttachmentsDocument>,
          { $inc: { bytes }, $push: { held: attachment } },
        ),
      );
      if (matchedCount === 1) return;
      const known = await held(address, id);
      if (known && isSameAttachment(known, attachment)) return;
      if (known) throw new StoreError('conflict', 'the account has an attachment of that id');
      throw new StoreError('limit', 'the attachments of the account would be too many');
    },

    async find(address, id) {
      const known = await held(address, id);
      return known && isItsAccounts(known) ? known : undefined;
    },

    async complete(address, id, expiresAt) {
      await engine.write(() =>
        attachments.updateOne(
          { _id: address, held: { $elemMatch: { id, isComplete: false, expiresAt: { $gt: GONE_WITH_ACCOUNT } } } },
          { $set: { 'held.$.isComplete': true, 'held.$.expiresAt': expiresAt } },
        ),
      );
      const known = await held(address, id);
      return known && isItsAccounts(known) ? known : undefined;
    },

    async remove(address, id) {
      const known = await held(address, id);
      if (!known) return false;
      const { modifiedCount } = await engine.write(() =>
        attachments.updateOne(
          { _id: address, 'held.id': id },
          { $pull: { held: { id } }, $inc: { bytes: -known.bytes } },
        ),
      );
      return modifiedCount === 1;
    },

    async usage(address) {
      const found = await engine.read(() => attachments.findOne({ _id: address }));
      return { attachments: found?.held.length ?? 0, bytes: found?.bytes ?? 0 };
    },

    async expired(now, limit) {
      const found = await engine.read(() =>
        attachments
          .find({ 'held.expiresAt': { $lte: now } })
          .limit(limit)
          .toArray(),
      );
      return found
        .flatMap(({ _id, held }) =>
          held.map((fields) => ({ address: _id as AccountAddress, attachment: attachmentOf(fields) })),
        )
        .filter(({ attachment }) => attachment.expiresAt <= now)
        .slice(0, limit);
    },
  };
}

/** Their account is gone. */
export async function expireAttachments({ engine, documents }: Ground, address: string): Promise<void> {
  await engine.write(() =>
    documents.attachments.updateOne({ _id: address }, {
      $set: { 'held.$[].expiresAt': GONE_WITH_ACCOUNT },
    } as mongo.UpdateFilter<AttachmentsDocument>),
  );
}

function attachmentOf({ id, bytes, handle, isComplete, expiresAt }: AttachmentFields): Attachment {
  return { id, bytes, handle, isComplete, expiresAt };
}
