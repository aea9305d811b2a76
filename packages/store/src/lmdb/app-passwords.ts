/**
 * App passwords, in LMDB: one record each, under the address of the account; `accounts.delete`
 * removes them with it.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import { copyAppPassword } from '../copies.ts';
import { type AppPassword, type AppPasswords, StoreError } from '../port.ts';
import type { Databases, Environment } from './environment.ts';
import { readAccount } from './records/account-records.ts';
import { endOf, prefixedKey } from './records/keys.ts';
import { RecordReader, RecordWriter } from './records/record.ts';
import type { Writer } from './writer.ts';

/** Stands for "never used": a time has no such value. */
const NEVER = -1;

export function lmdbAppPasswords({ databases, renew }: Environment, writer: Writer): AppPasswords {
  return {
    async add(address, password, maximum) {
      const copy = copyAppPassword({ ...password, usedAt: undefined });
      await writer.run(() => {
        const account = readAccount(databases, address);
        if (!account || account === 'gone') throw new StoreError('not-found', 'no such account');
        const held = appPasswordsOf(databases, address);
        if (held.some(({ id, name }) => id === copy.id || name === copy.name))
          throw new StoreError('conflict', 'the account has an app password of that name');
        if (held.length >= maximum) throw new StoreError('limit', `an account has at most ${maximum} app passwords`);
        write(databases, address, copy);
      });
    },

    async list(address) {
      renew();
      return appPasswordsOf(databases, address).sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },

    async remove(address, id) {
      const key = keyOf(address, id);
      return writer.run(() => {
        if (!databases.apppasswords.getBinary(key)) return false;
        databases.apppasswords.removeSync(key);
        return true;
      });
    },

    async markUsed(address, id, at) {
      await writer.run(() => {
        const bytes = databases.apppasswords.getBinary(keyOf(address, id));
        const password = bytes && decode(bytes);
        if (password && password.usedAt !== at) write(databases, address, { ...password, usedAt: at });
      });
    },
  };
}

/** In the order of their ids. */
export function appPasswordsOf({ apppasswords }: Databases, address: AccountAddress): AppPassword[] {
  const prefix = prefixedKey(address);
  return [...apppasswords.getRange({ start: prefix, end: endOf(prefix) })].map(({ value }) => decode(value));
}

function write({ apppasswords }: Databases, address: AccountAddress, password: AppPassword): void {
  const { id, name, createdAt, usedAt = NEVER, verifier } = password;
  const record = new RecordWriter().text(id).text(name).number(createdAt).number(usedAt).bytes(verifier);
  apppasswords.putSync(keyOf(address, id), record.finish());
}

function decode(bytes: Buffer): AppPassword {
  const reader = new RecordReader(bytes);
  const id = reader.text();
  const name = reader.text();
  const createdAt = reader.number();
  const usedAt = reader.number();
  const verifier = reader.bytes();
  reader.end();
  return { id, name, createdAt, usedAt: usedAt === NEVER ? undefined : usedAt, verifier };
}

function keyOf(address: AccountAddress, id: string): Buffer {
  return prefixedKey(address, Buffer.from(id, 'utf8'));
}
