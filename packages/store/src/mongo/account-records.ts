/** Records of accounts: a document each, replaced only where it still is what the caller saw. */
import { type AccountRecord, type AccountRecordName, type AccountRecords, StoreError } from '../port.ts';
import { ACCOUNT_RECORDS, mayReplace } from '../sameness.ts';
import { bin, bytesOf } from './bytes.ts';
import type { AccountRecordDocument } from './documents.ts';
import { isDuplicate } from './engine.ts';
import type { Ground } from './ground.ts';

export function mongoAccountRecords({ engine, documents: { accounts, accountRecords } }: Ground): AccountRecords {
  const find = async (_id: string) => {
    const found = await engine.read(() => accountRecords.findOne({ _id }));
    return found ? recordOf(found) : undefined;
  };
  return {
    async read(addresses, name) {
      const ids = addresses.map((address) => accountRecordId(address, name));
      const found = await engine.read(() => accountRecords.find({ _id: { $in: ids } }).toArray());
      const there = new Map(found.map((one) => [one._id, recordOf(one)]));
      return ids.map((id) => there.get(id));
    },

    async replace(address, name, after, record) {
      const _id = accountRecordId(address, name);
      if (!(await engine.read(() => accounts.exists({ _id: address, state: 'active' }).exec())))
        throw new StoreError('not-found', 'no such account');
      if (!mayReplace(await find(_id), after, record)) return;
      const fields = { version: record.version, bytes: bin(record.bytes) };
      try {
        const { matchedCount, upsertedCount } = await engine.write(() =>
          accountRecords.updateOne({ _id, version: after }, { $set: fields }, { upsert: after === 0 }),
        );
        if (matchedCount + upsertedCount === 1) return;
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      // Somebody was faster, or an attempt of this call whose answer was lost.
      if (mayReplace(await find(_id), after, record)) throw new StoreError('conflict', 'the record has gone');
    },
  };
}

/** Their account is gone. */
export async function removeAccountRecords({ engine, documents }: Ground, address: string): Promise<void> {
  const ids = ACCOUNT_RECORDS.map((name) => accountRecordId(address, name));
  await engine.write(() => documents.accountRecords.deleteMany({ _id: { $in: ids } }));
}

export function accountRecordId(address: string, name: AccountRecordName): string {
  return `${address} ${name}`;
}

function recordOf({ version, bytes }: AccountRecordDocument): AccountRecord {
  return { version, bytes: bytesOf(bytes) };
}
