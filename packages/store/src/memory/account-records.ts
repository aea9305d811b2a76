/** Records of accounts, in memory. */
import type { AccountAddress } from '@sealwire/wire/ids';
import { type AccountRecordName, type AccountRecords, StoreError } from '../port.ts';
import { ACCOUNT_RECORDS, mayReplace } from '../sameness.ts';
import type { MemoryState } from './state.ts';

export function memoryAccountRecords(state: MemoryState): AccountRecords {
  return {
    async read(addresses, name) {
      return addresses.map((address) => {
        const known = state.accountRecords.get(keyOf(address, name));
        return known && { version: known.version, bytes: known.bytes.slice() };
      });
    },

    async replace(address, name, after, { version, bytes }) {
      if (!state.accounts.has(address)) throw new StoreError('not-found', 'no such account');
      const record = { version, bytes: bytes.slice() };
      if (mayReplace(state.accountRecords.get(keyOf(address, name)), after, record))
        state.accountRecords.set(keyOf(address, name), record);
    },
  };
}

/** Their account is gone. */
export function removeAccountRecords({ accountRecords }: MemoryState, address: AccountAddress): void {
  for (const name of ACCOUNT_RECORDS) accountRecords.delete(keyOf(address, name));
}

function keyOf(address: AccountAddress, name: AccountRecordName): string {
  return `${address} ${name}`;
}
