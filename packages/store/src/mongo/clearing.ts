/** What a device or an account leaves behind: keys, prekeys, mailbox, old manifests. Every step may be repeated. */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import { SUITE_NAMES } from '@sealwire/wire/lime-server';
import { trusted } from 'mongoose';
import { removeAccountRecords } from './account-records.ts';
import { expireAttachments } from './attachments.ts';
import { boxOf, LAST_SEQ, mailId } from './bytes.ts';
import { type AccountDocument, emptyMailbox, type PrekeyDocument } from './documents.ts';
import type { Ground } from './ground.ts';
import { releaseKeys } from './key-owners.ts';

/** Does what `account.leaving` says is left to do, and says so. */
export async function clearAway(ground: Ground, account: AccountDocument): Promise<void> {
  if (account.leaving.length === 0) return;
  const { engine, documents } = ground;
  for (const { id, keys, rev } of account.leaving) {
    if (id !== account._id) await clearDevice(ground, id as DeviceId);
    // One that was never finished, and made room, has no older manifests; those of before a reset are read by nobody, and replaced by the
    // next ones. Who has the name now may have some of its own.
    else {
      if (account.state === 'deleted') {
        await engine.write(() => documents.manifests.deleteMany({ address: id }).exec());
        await expireAttachments(ground, id);
      }
      // Nobody can read them any more; a device of the new owner writes its own again.
      await removeAccountRecords(ground, id);
    }
    await releaseKeys(ground, id as AccountAddress | DeviceId, keys, 'account', rev);
  }
  const ids = account.leaving.map(({ id }) => id);
  await engine.write(() =>
    documents.accounts.updateOne({ _id: account._id }, { $pull: { leaving: { id: { $in: ids } } } }).exec(),
  );
}

async function clearDevice(ground: Ground, device: DeviceId): Promise<void> {
  const { engine, documents } = ground;
  await closeMailbox(ground, device);
  const ids = SUITE_NAMES.map((suite) => `${device} ${suite}`);
  const registered = await engine.read(() =>
    documents.prekeys
      .find({ _id: trusted({ $in: ids }) })
      .lean<PrekeyDocument[]>()
      .exec(),
  );
  for (const { _id, bundle, rev } of registered) {
    await engine.write(() => documents.prekeys.deleteOne({ _id }).exec());
    if (!bundle) continue;
    const keys = [bundle.identityKey, bundle.signedPrekey.publicKey];
    await releaseKeys(ground, device, keys, _id.slice(device.length + 1), rev);
  }
}

/** Its document stays, so that an append that looked before the removal makes none anew. */
async function closeMailbox({ engine, documents: { mailboxes, mails } }: Ground, device: DeviceId): Promise<void> {
  const box = boxOf(device);
  const closed = { ...emptyMailbox(device), gone: true } as const;
  await engine.write(() => mailboxes.replaceOne({ _id: box }, closed, { upsert: true }));
  await engine.write(() => mails.deleteMany({ _id: { $gte: mailId(box, 0), $lte: mailId(box, LAST_SEQ) } }));
}
