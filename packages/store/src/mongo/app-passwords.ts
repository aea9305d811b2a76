/** App passwords: they lie in the account's document, and go with it. */
import { trusted } from 'mongoose';
import { type AppPasswords, StoreError } from '../port.ts';
import { readAccount } from './account-row.ts';
import { bin, bytesOf, freshToken } from './bytes.ts';
import type { Ground } from './ground.ts';

/** When one was used last that was not used yet. */
const NEVER = 0;

export function mongoAppPasswords(ground: Ground): AppPasswords {
  const { engine, documents } = ground;
  return {
    async add(address, { id, name, createdAt, verifier }, maximum) {
      const by = freshToken();
      const { matchedCount } = await engine.write(() =>
        documents.accounts
          .updateOne(
            {
              _id: address,
              state: 'active',
              'appPasswords.id': trusted({ $ne: id }),
              'appPasswords.name': trusted({ $ne: name }),
              [`appPasswords.${maximum - 1}`]: trusted({ $exists: false }),
            },
            { $push: { appPasswords: { id, name, createdAt, usedAt: NEVER, verifier: bin(verifier), by } } },
          )
          .exec(),
      );
      if (matchedCount === 1) return;
      const account = await readAccount(ground, address);
      if (account?.state !== 'active') throw new StoreError('not-found', 'no such account');
      const known = account.appPasswords.find((one) => one.id === id || one.name === name);
      // An attempt of this call whose answer was lost.
      if (known?.by.equals(by)) return;
      if (known) throw new StoreError('conflict', 'the account has an app password of that name');
      throw new StoreError('limit', `an account has at most ${maximum} app passwords`);
    },

    async list(address) {
      const account = await readAccount(ground, address);
      return [...(account?.appPasswords ?? [])]
        .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
        .map(({ id, name, createdAt, usedAt, verifier }) => ({
          id,
          name,
          createdAt,
          usedAt: usedAt === NEVER ? undefined : usedAt,
          verifier: bytesOf(verifier),
        }));
    },

    async remove(address, id) {
      const { modifiedCount } = await engine.write(() =>
        documents.accounts
          .updateOne({ _id: address, 'appPasswords.id': id }, { $pull: { appPasswords: { id } } })
          .exec(),
      );
      return modifiedCount === 1;
    },

    async markUsed(address, id, at) {
      await engine.write(() =>
        documents.accounts
          .updateOne({ _id: address, 'appPasswords.id': id }, { $set: { 'appPasswords.$.usedAt': at } })
          .exec(),
      );
    },
  };
}
