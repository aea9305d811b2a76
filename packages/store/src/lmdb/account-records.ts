/** Records of accounts, in LMDB: under the address of the account. */
import type { AccountAddress } from '@sealwire/wire/ids';
import { type AccountRecord, type AccountRecordName, type AccountRecords, StoreError } from '../port.ts';
import { mayReplace } from '../sameness.ts';
import type { Databases, Environment } from './environment.ts';
import { readAccount } from './records/account-records.ts';
import { prefixedKey } from './records/keys.ts';
import { RecordReader, RecordWriter } from './records/record.ts';
import type { Writer } from './writer.ts';

export interface NamedAccountRecord extends AccountRecord {
  readonly address: AccountAddress;
  readonly name: AccountRecordName;
}

export function lmdbAccountRecords({ databases, renew }: Environment, writer: Writer): AccountRecords {
  const find = (address: AccountAddress, name: AccountRecordName) => {
    const bytes = databases.accountrecords.getBinary(keyOf(address, name));
    return bytes && decode(bytes);
  };
  return {
    async read(addresses, name) {
      renew();
      return addresses.map((address) => find(address, name));
    },

    async replace(address, name, after, { version, bytes }) {
      const record = { version, bytes: bytes.slice() };
      await writer.run(() => {
        const account = readAccount(databases, address);
        if (!account || account === 'gone') throw new StoreError('not-found', 'no such account');
        if (!mayReplace(find(address, name), after, record)) return;
        const encoded = new RecordWriter().number(record.version).bytes(record.bytes).finish();
        databases.accountrecords.putSync(keyOf(address, name), encoded);
      });
    },
  };
}

export function* allAccountRecords({ accountrecords }: Databases): Generator<NamedAccountRecord> {
  for (const { key, value } of accountrecords.getRange({})) {
    const end = key.indexOf(0);
    const address = key.subarray(0, end).toString() as AccountAddress;
    yield { address, name: key.subarray(end + 1).toString() as AccountRecordName, ...decode(value) };
  }
}

function decode(bytes: Buffer): AccountRecord {
  const reader = new RecordReader(bytes);
  const record = { version: reader.number(), bytes: reader.bytes() };
  reader.end();
  return record;
}

function keyOf(address: AccountAddress, name: AccountRecordName): Buffer {
  return prefixedKey(address, Buffer.from(name));
}
