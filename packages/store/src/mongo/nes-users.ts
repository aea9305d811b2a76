/** Users of NES: a document each, whose name is its `_id`. */
import type { NesUser, NesUsers } from '../port.ts';
import { isSameBytes, NES_KEPT_MS } from '../sameness.ts';
import { bin, bytesOf } from './bytes.ts';
import type { NesUserDocument } from './documents.ts';
import { isDuplicate } from './engine.ts';
import type { Ground } from './ground.ts';

export function mongoNesUsers({ engine, documents: { nesUsers } }: Ground): NesUsers {
  const find = async (name: string) => {
    const found = await engine.read(() => nesUsers.findOne({ _id: name }));
    return found ? userOf(found) : undefined;
  };
  return {
    async register({ name, messageKey, signKey, activation, deletion, expiresAt }, now) {
      try {
        await engine.write(() =>
          nesUsers.updateOne(
            { _id: name, expiresAt: { $lte: now } },
            {
              $set: {
                messageKey,
                signKey,
                activation: bin(activation),
                deletion: bin(deletion),
                expiresAt,
                forget: new Date(expiresAt + NES_KEPT_MS),
              },
            },
            { upsert: true },
          ),
        );
        return 'registered';
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      // By somebody, or by an attempt of this call whose answer was lost.
      const known = await find(name);
      return known && isSameBytes(known.activation, activation) ? 'registered' : 'taken';
    },

    find,

    async activate(name, activation, now) {
      await engine.write(() =>
        nesUsers.updateOne(
          { _id: name, activation: bin(activation), expiresAt: { $gt: now } },
          { $set: { expiresAt: null }, $unset: { forget: '' } },
        ),
      );
      const known = await find(name);
      return known !== undefined && known.expiresAt === undefined && isSameBytes(known.activation, activation);
    },

    async remove(name, deletion) {
      const { deletedCount } = await engine.write(() => nesUsers.deleteOne({ _id: name, deletion: bin(deletion) }));
      return deletedCount === 1;
    },
  };
}

function userOf({ _id, messageKey, signKey, activation, deletion, expiresAt }: NesUserDocument): NesUser {
  return {
    name: _id,
    messageKey,
    signKey,
    activation: bytesOf(activation),
    deletion: bytesOf(deletion),
    expiresAt: expiresAt ?? undefined,
  };
}
