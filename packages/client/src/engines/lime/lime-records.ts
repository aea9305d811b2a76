/** A `LimeStore` over the client's records: LIME's changes join the transaction that it is made for. One table a suite. */
import type { SuiteName } from '@sealwire/crypto/port';
import type { LimeStore } from '@sealwire/lime/store';
import type { Records, Transaction } from '../../storage/ledger.ts';

/** Over mere `Records`, saving throws: looking up needs no transaction, changing does. */
export function limeStoreOver(records: Records | Transaction, suite: SuiteName): LimeStore {
  const table = `lime-${suite}/`;
  return {
    load: (key) => records.get(table + key),
    keys: (prefix) => records.keys(table + prefix).map((key) => key.slice(table.length)),
    save: (changes) => {
      if (!('set' in records)) throw new TypeError('a change of LIME’s state outside a transaction');
      for (const { key, value } of changes) {
        if (value) records.set(table + key, value);
        else records.delete(table + key);
      }
    },
  };
}
