/** The index of key owners for a folder that was written before there was one. */
import type { AccountAddress, DeviceId } from '@sealwire/wire/ids';
import type { Databases } from '../environment.ts';
import { readAccount, usedKeys } from '../records/account-records.ts';
import { type KeyOwner, moveKeys, ownerOf } from '../records/key-owners.ts';

/** In the index itself, once it is whole; no public key is one byte long. */
const MARK = Buffer.of(0);

/** Inside a transaction. Where two use one key already, the first keeps it. */
export function indexKeys(databases: Databases): void {
  const { accounts, devices, keyowners } = databases;
  if (keyowners.getBinary(MARK)) return;
  const take = (owner: KeyOwner, keys: readonly Uint8Array[]) =>
    moveKeys(
      databases,
      owner,
      [],
      keys.filter((key) => (ownerOf(databases, key) ?? owner) === owner),
    );
  for (const name of [...accounts.getKeys()]) {
    const address = name.toString('utf8') as AccountAddress;
    const account = readAccount(databases, address);
    if (account && account !== 'gone') take(address, [account.accountKey]);
  }
  for (const name of [...devices.getKeys()]) {
    const id = name.toString('utf8') as DeviceId;
    take(id, usedKeys(databases, id));
  }
}
