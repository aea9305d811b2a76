/**
 * Account keys that the directory shows in the place of a pinned one, so that each is told of once. Table `offered`, key
 * `offered/ADDRESS`: the key, 32 bytes.
 */
import type { AccountAddress } from '@sealwire/wire/ids';
import type { Records, Transaction } from '../storage/ledger.ts';

const keyOf = (address: AccountAddress) => `offered/${address}`;

export function offeredKey(records: Records, address: AccountAddress): Uint8Array | undefined {
  return records.get(keyOf(address));
}

export function writeOffered(transaction: Transaction, address: AccountAddress, key: Uint8Array): void {
  transaction.set(keyOf(address), key.slice());
}

/** The directory shows the pinned key again, or nothing is pinned any more. */
export function forgetOffered(transaction: Transaction, address: AccountAddress): void {
  if (transaction.get(keyOf(address))) transaction.delete(keyOf(address));
}
